/** What is decided about a system call. `unknown`: as a kernel answers that does not have it. */
export type Verdict = 'allowed' | 'refused' | 'unknown'

/**
 * Decides by the low word of the first argument, which is all that the kernel reads of the arguments
 * that are checked.
 */
export interface ArgumentRule {
  /** Bits that are compared. */
  readonly mask: number
  readonly values: readonly number[]
  /** For one of the values. */
  readonly listed: Verdict
  readonly others: Verdict
}

export type CallRule = Verdict | ArgumentRule

/**
 * System calls that every step may make: all of Linux 6.14 but those that administer the machine
 * (mounts, namespaces, modules, clocks, swap, keys, tracing of the kernel), that bypass permissions
 * (`open_by_handle_at`) or whose size makes them a risk (`io_uring`, `userfaultfd`). A machine that
 * lacks one of them ignores its name.
 */
const ALLOWED_CALLS: readonly string[] = `
  accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown
  chroot clock_adjtime clock_getres clock_gettime clock_nanosleep close close_range connect
  copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait
  epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
  fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchownat fcntl fdatasync
  fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex
  futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64
  getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid
  getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt
  gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioctl
  ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self
  lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat
  madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
  mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend
  mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at
  nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
  pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64
  process_mrelease process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages
  removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile
  sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid
  setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid
  setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack
  signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range
  syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname
  unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev

  _llseek _newselect arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush chown32
  clock_adjtime64 clock_getres_time64 clock_gettime64 clock_nanosleep_time64 epoll_ctl_old
  epoll_wait_old fadvise64_64 fchown32 fcntl64 fstat64 fstatat64 fstatfs64 ftruncate64
  futex_time64 getegid32 geteuid32 getgid32 getgroups32 getresgid32 getresuid32 getuid32
  io_pgetevents_time64 ipc lchown32 lstat64 mmap2 mq_timedreceive_time64 mq_timedsend_time64
  ppoll_time64 pselect6_time64 recv recvmmsg_time64 rt_sigtimedwait_time64
  sched_rr_get_interval_time64 semtimedop_time64 send set_tls setfsgid32 setfsuid32 setgid32
  setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 sigprocmask sigreturn
  socketcall stat64 statfs64 sync_file_range2 timer_gettime64 timer_settime64
  timerfd_gettime64 timerfd_settime64 truncate64 ugetrlimit utimensat_time64 waitpid

  cachestat fchmodat2 futex_requeue futex_wait futex_wake getxattrat listmount listxattrat
  map_shadow_stack mseal removexattrat setxattrat statmount uretprobe
`
  .trim()
  .split(/\s+/)

const ALL_BITS = 0xffffffff
/** Flags of clone(2) that make namespaces. */
const NAMESPACE_FLAGS = 0x7e020000
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff]

/**
 * Socket families 38 (AF_ALG, which let programs write to read-only files) and 40 (AF_VSOCK, which
 * reaches the machine that runs a virtual machine) are refused.
 */
const REFUSED_FAMILIES = [38, 40]

const CHECKED_CALLS: Readonly<Record<string, CallRule>> = {
  clone: { mask: NAMESPACE_FLAGS, values: [0], listed: 'allowed', others: 'refused' },
  // Its flags lie in memory, where no filter can see them; libraries fall back to clone.
  clone3: 'unknown',
  personality: { mask: ALL_BITS, values: PERSONALITIES, listed: 'allowed', others: 'refused' },
  socket: { mask: ALL_BITS, values: REFUSED_FAMILIES, listed: 'refused', others: 'allowed' },
}

/**
 * The rules of a step, by the names of calls: docker's for a step's capabilities. A call without one
 * is refused, or unknown when it is newer than the tables of `calls`.
 */
export function callRules(): ReadonlyMap<string, CallRule> {
  const allowed = ALLOWED_CALLS.map((name) => [name, 'allowed'] as const)
  return new Map<string, CallRule>([...allowed, ...Object.entries(CHECKED_CALLS)])
}
