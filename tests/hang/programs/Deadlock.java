public class Deadlock {
    private static final Object FIRST = new Object();
    private static final Object SECOND = new Object();

    private static void lockBoth(Object mine, Object other) {
        synchronized (mine) {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                return;
            }
            synchronized (other) {
                System.out.println("never");
            }
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        Thread thread = new Thread(() -> lockBoth(SECOND, FIRST), "other");
        thread.start();
        lockBoth(FIRST, SECOND);
        thread.join();
    }
}
