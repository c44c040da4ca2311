/* The commands that the measurements run as tasks. Times are CLOCK_MONOTONIC, which all processes
 * share.
 *
 *   worker now OUT             write the time to OUT at once
 *   worker gate GATE OUT       wait until somebody opens the FIFO GATE and closes it; write the
 * time to OUT, end worker pour BYTES          write BYTES of text lines to stdout, 64 KiB at a
 * time: as fast as a program can write
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void stamp(int out)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long long ns = t.tv_sec * 1000000000LL + t.tv_nsec;
    if (write(out, &ns, sizeof ns) != sizeof ns) _exit(1);
}

static int open_out(const char* path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) _exit(1);
    return fd;
}

static void wait_at(const char* gate)
{
    char byte;
    int fd = open(gate, O_RDONLY);
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
        ;
}

static void pour(long long bytes)
{
    static char block[65536];
    for (size_t i = 0; i < sizeof block; ++i) block[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 26);
    while (bytes > 0) {
        size_t size = bytes < (long long)sizeof block ? (size_t)bytes : sizeof block;
        ssize_t written = write(1, block, size);
        if (written < 0 && errno != EINTR) _exit(1);
        if (written > 0) bytes -= written;
    }
}

int main(int argc, char** argv)
{
    if (argc == 3 && !strcmp(argv[1], "now")) stamp(open_out(argv[2]));
    else if (argc == 4 && !strcmp(argv[1], "gate")) {
        int out = open_out(argv[3]);
        wait_at(argv[2]);
        stamp(out);
        _exit(0);
    } else if (argc == 3 && !strcmp(argv[1], "pour")) pour(atoll(argv[2]));
    else return 2;
    return 0;
}
