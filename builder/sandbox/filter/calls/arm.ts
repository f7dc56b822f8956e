/**
 * The system calls of 32-bit ARM (EABI) that have numbers of their own.
 * Spec: arch/arm/tools/syscall.tbl of Linux 6.1
 */
export const ARM_CALLS = `
  0 restart_syscall exit fork read write open close
  8 creat link unlink execve chdir
  14 mknod chmod lchown
  19 lseek getpid mount
  23 setuid getuid
  26 ptrace
  29 pause
  33 access nice
  36 sync kill rename mkdir rmdir dup pipe times
  45 brk setgid getgid
  49 geteuid getegid acct umount2
  54 ioctl fcntl
  57 setpgid
  60 umask chroot ustat dup2 getppid getpgrp setsid sigaction
  70 setreuid setregid sigsuspend sigpending sethostname setrlimit
  77 getrusage gettimeofday settimeofday getgroups setgroups
  83 symlink
  85 readlink uselib swapon reboot
  91 munmap truncate ftruncate fchmod fchown getpriority setpriority
  99 statfs fstatfs
  103 syslog setitimer getitimer stat lstat fstat
  111 vhangup
  114 wait4 swapoff sysinfo
  118 fsync sigreturn clone setdomainname uname
  124 adjtimex mprotect sigprocmask
  128 init_module delete_module
  131 quotactl getpgid fchdir bdflush sysfs personality
  138 setfsuid setfsgid _llseek getdents _newselect flock msync readv writev getsid fdatasync
  149 _sysctl mlock munlock mlockall munlockall sched_setparam sched_getparam sched_setscheduler
  157 sched_getscheduler sched_yield sched_get_priority_max sched_get_priority_min
  161 sched_rr_get_interval nanosleep mremap setresuid getresuid
  168 poll nfsservctl setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask
  176 rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend pread64 pwrite64 chown getcwd
  184 capget capset sigaltstack sendfile
  190 vfork ugetrlimit mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 lchown32 getuid32
  200 getgid32 geteuid32 getegid32 setreuid32 setregid32 getgroups32 setgroups32 fchown32
  208 setresuid32 getresuid32 setresgid32 getresgid32 chown32 setuid32 setgid32 setfsuid32
  216 setfsgid32 getdents64 pivot_root mincore madvise fcntl64
  224 gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr
  233 llistxattr flistxattr removexattr lremovexattr fremovexattr tkill sendfile64 futex
  241 sched_setaffinity sched_getaffinity io_setup io_destroy io_getevents io_submit io_cancel
  248 exit_group lookup_dcookie epoll_create epoll_ctl epoll_wait remap_file_pages
  256 set_tid_address timer_create timer_settime timer_gettime timer_getoverrun timer_delete
  262 clock_settime clock_gettime clock_getres clock_nanosleep statfs64 fstatfs64 tgkill utimes
  270 arm_fadvise64_64 pciconfig_iobase pciconfig_read pciconfig_write mq_open mq_unlink
  276 mq_timedsend mq_timedreceive mq_notify mq_getsetattr waitid socket bind connect listen
  285 accept getsockname getpeername socketpair send sendto recv recvfrom shutdown setsockopt
  295 getsockopt sendmsg recvmsg semop semget semctl msgsnd msgrcv msgget msgctl shmat shmdt
  307 shmget shmctl add_key request_key keyctl semtimedop vserver ioprio_set ioprio_get
  316 inotify_init inotify_add_watch inotify_rm_watch mbind get_mempolicy set_mempolicy openat
  323 mkdirat mknodat fchownat futimesat fstatat64 unlinkat renameat linkat symlinkat readlinkat
  333 fchmodat faccessat pselect6 ppoll unshare set_robust_list get_robust_list splice
  341 arm_sync_file_range tee vmsplice move_pages getcpu epoll_pwait kexec_load utimensat signalfd
  350 timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4 eventfd2
  357 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open
  365 recvmmsg accept4 fanotify_init fanotify_mark prlimit64 name_to_handle_at open_by_handle_at
  372 clock_adjtime syncfs sendmmsg setns process_vm_readv process_vm_writev kcmp finit_module
  380 sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat
  388 userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc
  396 pkey_free statx rseq io_pgetevents migrate_pages kexec_file_load
`

/** Calls that are numbered apart from the others. */
export const ARM_PRIVATE_CALLS = `
  1 breakpoint cacheflush usr26 usr32 set_tls get_tls
`

/** Is added to their numbers. */
export const ARM_PRIVATE_BASE = 0xf0000

/** What has a number on all machines, and does not exist on this one. */
export const NOT_ON_ARM: readonly string[] = ['memfd_secret']
