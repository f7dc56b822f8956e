const KEPT = 'the container has its own'
const ONE_ROOT = 'there is one root, so one step at a time'
const NO_NAMESPACES = 'there are no namespaces'
const NO_FILTER = 'a filter takes no_new_privs; the container has its own'
const WRITABLE = 'a step can write to it; what it writes is dropped'

/** Tests of the suite that do not hold in place, by title, and why. */
export const NOT_IN_PLACE: Readonly<Record<string, string>> = {
  'runs steps at the same time': ONE_ROOT,
  'ends running steps when it is closed': ONE_ROOT,
  'is different for steps that run at the same time': ONE_ROOT,
  'T-A8, T-B1: never reaches outside while a shared directory is exchanged for a link': ONE_ROOT,

  'has that number, and no process above or beside it': NO_NAMESPACES,
  'has namespaces and a session of its own': NO_NAMESPACES,
  'becomes the parent of orphans': NO_NAMESPACES,
  'takes only signals that it handles, and SIGKILL': NO_NAMESPACES,
  'has namespaces of its own': NO_NAMESPACES,
  'cannot mount, unmount, or make namespaces': NO_NAMESPACES,
  'has only loopback with none, and it is up': NO_NAMESPACES,
  'is that of the host with host': NO_NAMESPACES,
  'does not reach the loopback of the host by default': NO_NAMESPACES,
  'cannot be changed by a step': NO_NAMESPACES,

  'gives root 14 capabilities and no more': NO_FILTER,
  'gives users none, but lets set-uid programs have the 14': NO_FILTER,
  'shows the same status as runc with the same settings': NO_FILTER,
  'gives a step with all rights what others lack': 'it has those of the container',

  'gives no other standard input where a mount of the step covers /dev': KEPT,
  'has a minimal /dev': KEPT,
  'opens no device that it makes': KEPT,
  'masks and protects what belongs to the host': KEPT,
  'keeps what the step writes, and no mount point': 'the test sets attributes as root of a machine',
  'uses the mount points that the image has': KEPT,
  'makes no directory of what it mounts on': KEPT,
  'writes hosts, hostname and resolv.conf for the step only': KEPT,
  'follows links of /etc files inside the root, also dangling ones': KEPT,
  'refuses a link, a file or a fifo as /proc': KEPT,
  'refuses a link, a file or a fifo as /sys': KEPT,
  'refuses a link, a file or a fifo as /dev': KEPT,
  'does not look into the image for devices': KEPT,
  'refuses loops, and directories in place of files': KEPT,
  'does not wait for a FIFO in the place of a device': KEPT,
  'makes no directory on the host for a linked working directory': 'the host is the root',
  'follows a link only within the root': 'the host is the root',

  'binds directories and files, read-only or not, without set-uid and devices': WRITABLE,
  'mounts a read-only union over hundreds of layers': WRITABLE,
  'is read-only: directory': WRITABLE,
  'is read-only: union': WRITABLE,
  'keeps a layer that is shown alone': WRITABLE,
  'takes away set-uid rights and devices': WRITABLE,
  'gives a tmpfs the mode of what it hides, a size, and takes it back': WRITABLE,
  'has files that are in memory only': 'they are links to memory',
  'follows no link that the step put where a mount point was': 'no stub is left',
}
