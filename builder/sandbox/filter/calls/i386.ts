/**
 * The system calls of 32-bit x86 that have numbers of their own.
 * Spec: arch/x86/entry/syscalls/syscall_32.tbl of Linux 6.1
 */
export const I386_CALLS = `
  0 restart_syscall exit fork read write open close waitpid creat link unlink execve chdir time
  14 mknod chmod lchown break oldstat lseek getpid mount umount setuid getuid stime ptrace alarm
  28 oldfstat pause utime stty gtty access nice ftime sync kill rename mkdir rmdir dup pipe times
  44 prof brk setgid getgid signal geteuid getegid acct umount2 lock ioctl fcntl mpx setpgid
  58 ulimit oldolduname umask chroot ustat dup2 getppid getpgrp setsid sigaction sgetmask ssetmask
  70 setreuid setregid sigsuspend sigpending sethostname setrlimit getrlimit getrusage
  78 gettimeofday settimeofday getgroups setgroups select symlink oldlstat readlink uselib swapon
  88 reboot readdir mmap munmap truncate ftruncate fchmod fchown getpriority setpriority profil
  99 statfs fstatfs ioperm socketcall syslog setitimer getitimer stat lstat fstat olduname iopl
  111 vhangup idle vm86old wait4 swapoff sysinfo ipc fsync sigreturn clone setdomainname uname
  123 modify_ldt adjtimex mprotect sigprocmask create_module init_module delete_module
  130 get_kernel_syms quotactl getpgid fchdir bdflush sysfs personality afs_syscall setfsuid
  139 setfsgid _llseek getdents _newselect flock msync readv writev getsid fdatasync _sysctl mlock
  151 munlock mlockall munlockall sched_setparam sched_getparam sched_setscheduler
  157 sched_getscheduler sched_yield sched_get_priority_max sched_get_priority_min
  161 sched_rr_get_interval nanosleep mremap setresuid getresuid vm86 query_module poll nfsservctl
  170 setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask rt_sigpending
  177 rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend pread64 pwrite64 chown getcwd capget capset
  186 sigaltstack sendfile getpmsg putpmsg vfork ugetrlimit mmap2 truncate64 ftruncate64 stat64
  196 lstat64 fstat64 lchown32 getuid32 getgid32 geteuid32 getegid32 setreuid32 setregid32
  205 getgroups32 setgroups32 fchown32 setresuid32 getresuid32 setresgid32 getresgid32 chown32
  213 setuid32 setgid32 setfsuid32 setfsgid32 pivot_root mincore madvise getdents64 fcntl64
  224 gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr
  233 llistxattr flistxattr removexattr lremovexattr fremovexattr tkill sendfile64 futex
  241 sched_setaffinity sched_getaffinity set_thread_area get_thread_area io_setup io_destroy
  247 io_getevents io_submit io_cancel fadvise64
  252 exit_group lookup_dcookie epoll_create epoll_ctl epoll_wait remap_file_pages set_tid_address
  259 timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime
  265 clock_gettime clock_getres clock_nanosleep statfs64 fstatfs64 tgkill utimes fadvise64_64
  273 vserver mbind get_mempolicy set_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive
  281 mq_notify mq_getsetattr kexec_load waitid
  286 add_key request_key keyctl ioprio_set ioprio_get inotify_init inotify_add_watch
  293 inotify_rm_watch migrate_pages openat mkdirat mknodat fchownat futimesat fstatat64 unlinkat
  302 renameat linkat symlinkat readlinkat fchmodat faccessat pselect6 ppoll unshare
  311 set_robust_list get_robust_list splice sync_file_range tee vmsplice move_pages getcpu
  319 epoll_pwait utimensat signalfd timerfd_create eventfd fallocate timerfd_settime
  326 timerfd_gettime signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev
  335 rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64
  341 name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns process_vm_readv
  348 process_vm_writev kcmp finit_module sched_setattr sched_getattr renameat2 seccomp getrandom
  356 memfd_create bpf execveat socket socketpair bind connect listen accept4 getsockopt
  366 setsockopt getsockname getpeername sendto sendmsg recvfrom recvmsg shutdown userfaultfd
  375 membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx
  384 arch_prctl io_pgetevents rseq
  393 semget semctl shmget shmctl shmat shmdt msgget msgsnd msgrcv msgctl
`
