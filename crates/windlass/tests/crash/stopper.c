/* Stops the process at one of its syncs to disk.
 *
 * Preloaded into the real binary. Each fsync, fdatasync and rename is counted; at the
 * one numbered STOP_AT the whole process stops itself (SIGSTOP) before or after the
 * call (STOP_SIDE), so that the test can kill it at exactly that place. With
 * STOP_COUNT set, the number of calls is written to that file at each one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void tell(long count) {
    const char *path = getenv("STOP_COUNT");
    if (!path) return;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) return;
    char line[32];
    int length = snprintf(line, sizeof line, "%ld\n", count);
    if (write(file, line, length) < 0) abort();
    close(file);
}

/* Returns whether this is the call to stop at, having stopped before it if asked to. */
static int before(void) {
    long count = atomic_fetch_add(&calls, 1) + 1;
    tell(count);
    if (count != number("STOP_AT")) return 0;
    const char *side = getenv("STOP_SIDE");
    if (side && strcmp(side, "before") == 0) {
        kill(getpid(), SIGSTOP);
        return 0;
    }
    return 1;
}

static void after(int here) {
    if (here) kill(getpid(), SIGSTOP);
}

int fsync(int file) {
    int here = before();
    int result = syscall(SYS_fsync, file);
    after(here);
    return result;
}

int fdatasync(int file) {
    int here = before();
    int result = syscall(SYS_fdatasync, file);
    after(here);
    return result;
}

int rename(const char *from, const char *to) {
    int here = before();
    int result = syscall(SYS_rename, from, to);
    after(here);
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    int here = before();
    int result = syscall(SYS_renameat, from_folder, from, to_folder, to);
    after(here);
    return result;
}
