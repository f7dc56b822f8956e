/**
 * The system calls of 64-bit x86 that have numbers of their own.
 * Spec: arch/x86/entry/syscalls/syscall_64.tbl of Linux 6.18
 */
export const X86_64_CALLS = `
  0 read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction
  14 rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access pipe select
  24 sched_yield mremap msync mincore madvise shmget shmat shmctl dup dup2 pause nanosleep
  36 getitimer alarm setitimer getpid sendfile socket connect accept sendto recvfrom sendmsg
  47 recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt clone
  57 fork vfork execve exit wait4 kill uname semget semop semctl shmdt msgget msgsnd msgrcv msgctl
  72 fcntl flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir
  84 rmdir creat link unlink symlink readlink chmod fchmod chown fchown lchown umask gettimeofday
  97 getrlimit getrusage sysinfo times ptrace getuid syslog getgid setuid setgid geteuid getegid
  109 setpgid getppid getpgrp setsid setreuid setregid getgroups setgroups setresuid getresuid
  119 setresgid getresgid getpgid setfsuid setfsgid getsid capget capset rt_sigpending
  128 rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime mknod uselib personality
  136 ustat statfs fstatfs sysfs getpriority setpriority sched_setparam sched_getparam
  144 sched_setscheduler sched_getscheduler sched_get_priority_max sched_get_priority_min
  148 sched_rr_get_interval mlock munlock mlockall munlockall vhangup modify_ldt pivot_root
  156 _sysctl prctl arch_prctl adjtimex setrlimit chroot sync acct settimeofday mount umount2
  167 swapon swapoff reboot sethostname setdomainname iopl ioperm create_module init_module
  176 delete_module get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall
  184 tuxcall security gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr
  194 listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr tkill time futex
  203 sched_setaffinity sched_getaffinity set_thread_area io_setup io_destroy io_getevents
  209 io_submit io_cancel get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old
  216 remap_file_pages getdents64 set_tid_address restart_syscall semtimedop fadvise64
  222 timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime
  228 clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl tgkill utimes
  236 vserver mbind set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive
  244 mq_notify mq_getsetattr kexec_load waitid add_key request_key keyctl ioprio_set ioprio_get
  253 inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat mknodat
  260 fchownat futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat
  269 faccessat pselect6 ppoll unshare set_robust_list get_robust_list splice tee sync_file_range
  278 vmsplice move_pages utimensat epoll_pwait signalfd timerfd_create eventfd fallocate
  286 timerfd_settime timerfd_gettime accept4 signalfd4 eventfd2 epoll_create1 dup3 pipe2
  294 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init
  301 fanotify_mark prlimit64 name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg
  308 setns getcpu process_vm_readv process_vm_writev kcmp finit_module sched_setattr
  315 sched_getattr renameat2 seccomp getrandom memfd_create kexec_file_load bpf execveat
  323 userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc
  331 pkey_free statx io_pgetevents rseq uretprobe uprobe
`
