/** A container as container engines make them, as far as it limits what is built in it. */

/** What differs from docker's defaults without its filter of system calls. */
export interface ContainerOptions {
  /** Who runs in it. Default: root. */
  readonly uid?: number
  /** Capabilities that even root lacks. */
  readonly drop?: readonly string[]
  /** Programs in it can make no user namespaces. It has one id then. */
  readonly refusing?: boolean
}

const CAPABILITIES =
  'chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap'

const SCRIPT = `
for file in keys timer_list kcore sched_debug; do
  if [ -e /proc/$file ]; then mount --bind /dev/null /proc/$file; fi
done
mount --bind /proc/sys /proc/sys
LIMIT
mount -o remount,bind,ro /proc/sys
exec setpriv "$@"
`

/** The words before a command that make it run in a container; they take root. */
export function inContainer(options: ContainerOptions = {}): readonly string[] {
  const { uid = 0, drop = [], refusing = false } = options
  const held = CAPABILITIES.split(' ').filter((name) => !drop.includes(name))
  const groups = refusing ? '--keep-groups' : '--clear-groups'
  const identity = [`--reuid=${uid}`, `--regid=${uid}`, groups]
  return [
    ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    // The limit is that of a user namespace, and the first one is everybody's.
    ...(refusing ? ['--user', '--map-root-user'] : []),
    ...['sh', '-e', '-c'],
    SCRIPT.replace('LIMIT', refusing ? 'echo 0 > /proc/sys/user/max_user_namespaces' : ''),
    'container',
    `--bounding-set=${['-all', ...held.map((name) => `+${name}`)].join(',')}`,
    ...['--inh-caps=-all', ...identity, '--'],
  ]
}
