/* A disk that says no: preloaded into a process, it fails the writes of a database's files as the file named by
 * CP_DISK says. Its first word is what fails: "full", "quota", "readonly" and "io" fail writes, "sync" fails fsync,
 * "some" fails every fifth write for want of room. Without the file, or with an empty one, nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_database(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, "/store.db") != NULL;
}

static void mode(char *word, size_t size) {
    word[0] = 0;
    const char *control = getenv("CP_DISK");
    if (!control) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    long length = syscall(SYS_read, fd, word, size - 1);
    syscall(SYS_close, fd);
    word[length > 0 ? length : 0] = 0;
}

static int fails(int fd, int syncing) {
    static atomic_int writes;
    int before = errno;
    char word[16];
    mode(word, sizeof word);
    if (!word[0] || !is_database(fd)) { errno = before; return 0; }
    if (!strcmp(word, "sync")) { if (syncing) { errno = EIO; return 1; } errno = before; return 0; }
    if (syncing) { errno = before; return 0; }
    if (!strcmp(word, "full")) { errno = ENOSPC; return 1; }
    if (!strcmp(word, "quota")) { errno = EDQUOT; return 1; }
    if (!strcmp(word, "readonly")) { errno = EROFS; return 1; }
    if (!strcmp(word, "io")) { errno = EIO; return 1; }
    if (!strcmp(word, "some") && atomic_fetch_add(&writes, 1) % 5 == 4) { errno = ENOSPC; return 1; }
    errno = before;
    return 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    return fails(fd, 0) ? -1 : (ssize_t)syscall(SYS_write, fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return fails(fd, 0) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return fails(fd, 0) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, size, at);
}
int ftruncate(int fd, off_t size) { return fails(fd, 0) ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails(fd, 0) ? -1 : NEXT(ftruncate64)(fd, size); }
int fsync(int fd) { return fails(fd, 1) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails(fd, 1) ? -1 : NEXT(fdatasync)(fd); }
