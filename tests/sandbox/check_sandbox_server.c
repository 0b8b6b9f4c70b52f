/* What a server gives up before it makes its event loop. What it gives up afterwards is tested by
 * tests/serve, from outside. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include "../format/check_run.h"
#include "inside.h"
#include "sandbox_server.h"

static int begin(const void *unused, snapcell_error *err)
{
    (void)unused;
    return sandbox_server_begin(err);
}

/* As libuv asks for one, without parameters: a kernel that makes rings says EFAULT. */
static int work_ring(void)
{
    errno = 0;
    return syscall(SYS_io_uring_setup, 1, NULL) == -1 ? errno : 0;
}

static int work_rest(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 1;
    return access("/", R_OK) == 0 ? 0 : 2;
}

START_TEST(test_rings_are_as_if_the_kernel_had_none)
{
    ck_assert_int_eq(inside_run(begin, NULL, work_ring), ENOSYS);
}
END_TEST

START_TEST(test_the_rest_is_left)
{
    ck_assert_int_eq(inside_run(begin, NULL, work_rest), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox_server");
    TCase *tcase = tcase_create("sandbox_server");
    tcase_add_test(tcase, test_rings_are_as_if_the_kernel_had_none);
    tcase_add_test(tcase, test_the_rest_is_left);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
