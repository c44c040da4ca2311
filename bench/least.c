/* The least that a tool can do which promises what `bgt run` promises: the same files, the same
 * processes, the same report, and nothing else: no options, no checks, no messages. What bgt takes
 * beyond this program is bgt's own.
 *
 *   least ROOT COMMAND [ARG...]        ROOT/tasks and ROOT/active exist
 *
 * An id under a lock; the task's folder with lock, spec, status, marker; a supervisor in a session
 * of its own that is a subreaper; FIFO, log, control socket; vfork and exec; a report over a pipe;
 * the id on stdout. Then the supervisor sleeps until the command's end, drains the FIFO into the
 * log, records the end and takes away what was temporary.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int check(long result)
{
    if (result < 0) {
        perror("least");
        _exit(125);
    }
    return (int)result;
}

static void lock(int fd, int command)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    check(fcntl(fd, command, &whole));
}

static int next_id(int root)
{
    char text[16] = {0};
    int fd = check(openat(root, "next-id", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    lock(fd, F_OFD_SETLKW);
    check(pread(fd, text, sizeof text - 1, 0));
    int id = atoi(text) + 1;
    check(pwrite(fd, text, (size_t)sprintf(text, "%d\n", id), 0));
    close(fd);
    return id;
}

/* The folder of a new task, with its lock held in *held. */
static int make_task(int root, int id, int* held)
{
    static char record[2048];
    char name[32];
    sprintf(name, "tasks/%d", id);
    check(mkdirat(root, name, 0700));
    int task = check(openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    *held = check(openat(task, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    lock(*held, F_OFD_SETLK);
    int spec = check(openat(task, "spec.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    check(write(spec, record, 446));
    close(spec);
    int status = check(openat(task, "status", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    check(fallocate(status, 0, 0, sizeof record));
    check(pwrite(status, record, sizeof record, 0));
    close(status);
    sprintf(name, "active/%d", id);
    close(check(openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
    return task;
}

static void leave_caller(void)
{
    setsid();
    int null = check(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    close(null);
    check(chdir("/"));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void open_control(int task)
{
    int fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    sprintf(name.sun_path, "/proc/self/fd/%d/ctl.sock", task);
    check(bind(fd, (struct sockaddr*)&name, sizeof name));
}

static pid_t start(int task, int cwd, char** argv, int* fifo)
{
    check(mkfifoat(task, "out", 0600));
    *fifo = check(openat(task, "out", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    int output = check(openat(task, "out", O_RDWR | O_CLOEXEC));
    pid_t child = vfork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setsid();
        dup2(output, 1);
        dup2(output, 2);
        if (fchdir(cwd) == 0) execvp(argv[0], argv);
        _exit(127);
    }
    close(output);
    return check(child);
}

static void supervise(int root, int task, int id, int report, int cwd, char** argv)
{
    static char record[1024];
    char name[32];
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_SETMASK, &ended, NULL);
    leave_caller();
    int fifo;
    int log = check(openat(task, "out.log", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    int status = check(openat(task, "status", O_RDWR | O_CLOEXEC));
    open_control(task);
    pid_t child = start(task, cwd, argv, &fifo);
    check(pwrite(status, record, sizeof record, 0));
    check(write(report, "S", 1));
    close(report);
    int events = check(openat(task, "events.jsonl", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    check(write(events, record, 64));

    struct pollfd sources[2] = {{check(signalfd(-1, &ended, SFD_CLOEXEC)), POLLIN, 0},
                                {fifo, POLLIN, 0}};
    do {
        check(poll(sources, 2, -1));
        while (splice(fifo, NULL, log, NULL, 1 << 20, SPLICE_F_NONBLOCK) > 0)
            ;
    } while (!(sources[0].revents & POLLIN) || waitpid(child, NULL, WNOHANG) != child);

    check(pwrite(status, record, sizeof record, sizeof record));
    check(write(events, record, 119));
    unlinkat(task, "out", 0);
    unlinkat(task, "ctl.sock", 0);
    sprintf(name, "active/%d", id);
    unlinkat(root, name, 0);
    _exit(0);
}

int main(int argc, char** argv)
{
    if (argc < 3) return 125;
    int root = check(open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int cwd = check(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    int report[2], held;
    char byte;
    int id = next_id(root);
    int task = make_task(root, id, &held);
    check(pipe2(report, O_CLOEXEC));
    if (check(fork()) == 0) supervise(root, task, id, report[1], cwd, argv + 2);
    close(report[1]);
    if (read(report[0], &byte, 1) != 1) return 125;
    char text[16];
    check(write(1, text, (size_t)sprintf(text, "%d\n", id)));
    return 0;
}
