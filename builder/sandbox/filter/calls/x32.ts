/**
 * The system calls that x32 programs (64-bit registers, 32-bit pointers) number otherwise than other
 * programs of 64-bit x86.
 * Spec: arch/x86/entry/syscalls/syscall_64.tbl of Linux 6.1
 */
export const X32_CALLS = `
  512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace
  522 rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load
  529 waitid set_robust_list get_robust_list vmsplice move_pages preadv pwritev rt_tgsigqueueinfo
  537 recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup
  544 io_submit execveat preadv2 pwritev2
`

/** What only other programs of 64-bit x86 can call. */
export const NOT_ON_X32: readonly string[] = `
  uselib _sysctl create_module get_kernel_syms query_module nfsservctl set_thread_area
  get_thread_area epoll_ctl_old epoll_wait_old vserver
`
  .trim()
  .split(/\s+/)

/** Is added to the numbers of all calls of x32. */
export const X32_BASE = 0x40000000
