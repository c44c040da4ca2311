/** Two threads that look again and again, with sleeps no longer than those of a thread at a contended monitor. */
public class Polls {
    private static void poll() {
        try {
            while (!Boolean.getBoolean("never")) Thread.sleep(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] arguments) {
        new Thread(Polls::poll, "other").start();
        poll();
    }
}
