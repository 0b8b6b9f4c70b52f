/* Started as NAME, a link to this program: with "NAME.report" next to it, see lab_worker.h. */
#include "lab_worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapcell/worker.h"

static lab_report *lab_open_report(void)
{
    char path[512];
    const char *program = (const char *)getauxval(AT_EXECFN);
    if (program == NULL) return NULL;
    snprintf(path, sizeof(path), "%s.report", program);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return NULL;
    void *report = mmap(NULL, sizeof(lab_report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return report != MAP_FAILED ? report : NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "cell-worker") != 0) {
        fprintf(stderr, "%s is started by tests, as a worker\n", argv[0]);
        return 2;
    }
    lab_report *report = lab_open_report();
    if (report == NULL) {
        fprintf(stderr, "there is no report next to the program's name\n");
        return 2;
    }
    lab_memory_open(report);
    if (report->watches_calls && !lab_faults_begin(report)) {
        fprintf(stderr, "system calls cannot be watched\n");
        return 2;
    }
    return snapcell_cell_worker((int)strtol(argv[2], NULL, 10));
}
