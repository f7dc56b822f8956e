/**
 * The system calls that all machines number alike, as of Linux 6.14. To a step, what comes after the
 * last one does not exist.
 */
export const UNIFIED_CALLS = `
  424 pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount
  430 fsopen fsconfig fsmount fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2
  440 process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset
  445 landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv
  450 set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait
  456 futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal
  463 setxattrat getxattrat listxattrat removexattrat
`

/** The system calls with times of 64 bits, which 32-bit machines number alike. */
export const TIME64_CALLS = `
  403 clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64
  408 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64
  413 pselect6_time64 ppoll_time64
  416 io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64
  420 semtimedop_time64 rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64
`
