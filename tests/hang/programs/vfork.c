/* The parent waits in vfork(2), which shows as state D, until its child ends or executes something.
 */
#include <unistd.h>

int main(void)
{
    if (vfork() == 0)
        for (;;) pause();
    return 0;
}
