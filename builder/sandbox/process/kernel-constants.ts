/** Numbers of the kernel that the programs of a step use, the same on all machines. */

/** clone(2): the new process is a child of the caller's parent. */
export const CLONE_PARENT = 0x8000
/** clone(2): stores the pid in the old process's memory. */
export const CLONE_PARENT_SETTID = 0x100000
/** clone3(2): the new process starts in a control group. */
export const CLONE_INTO_CGROUP = 0x200000000n
/** unshare(2): a new control group namespace. */
export const CLONE_NEWCGROUP = 0x2000000
/** unshare(2): a new pid namespace for the processes started next. */
export const CLONE_NEWPID = 0x20000000
/** The signal at the end of a child. */
export const SIGCHLD = 17
/** The signal that cannot be handled. */
export const SIGKILL = 9
/** prctl(2): 0 as its value keeps others of the same user from tracing the process. */
export const PR_SET_DUMPABLE = 4
/** prctl(2): the name that ps shows. */
export const PR_SET_NAME = 15
/** fcntl(2): sets the flags of a descriptor. */
export const F_SETFD = 2
/** The flag of a descriptor that closes with the start of another program. */
export const FD_CLOEXEC = 1
