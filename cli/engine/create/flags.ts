import type { Flag } from '../../arguments/flags.ts'
import { flagsOf } from '../definition/command.ts'

const MANY = { repeat: true } as const

/** Limits that `create`, `run` and `update` take. */
export const LIMIT_FLAGS: readonly Flag[] = flagsOf('Limits', {
  'm, memory SIZE': 'Memory that it may use',
  'memory-reservation SIZE': 'Memory that it should use at most',
  'memory-swap SIZE': 'Memory and swap together; -1: any amount',
  'cpus N': 'Processors that it may use: 1.5',
  'c, cpu-shares N': 'Its weight, 1024 being usual',
  'cpu-period MICROSECONDS': 'Length of a period for --cpu-quota',
  'cpu-quota MICROSECONDS': 'CPU time that it may use in a period',
  'cpu-rt-period MICROSECONDS': 'Length of a period for --cpu-rt-runtime',
  'cpu-rt-runtime MICROSECONDS': 'Real-time CPU time that it may use in a period',
  'cpuset-cpus LIST': 'CPUs that it may run on: 0-2,7',
  'cpuset-mems LIST': 'Memory nodes that it may use: 0,1',
  'blkio-weight N': 'Weight of its block I/O, 10 to 1000',
  'pids-limit N': 'Processes that it may have; -1: any number',
})

const MORE_LIMITS: readonly Flag[] = [
  ...flagsOf('Limits', {
    'memory-swappiness N': 'How much of its memory is swapped, 0 to 100',
    'oom-kill-disable': 'Let it wait where there is no memory, in place of killing it',
    'oom-score-adj N': 'How soon it is killed where there is no memory, -1000 to 1000',
    'shm-size SIZE': 'Size of /dev/shm (default: 64m)',
    'cgroup-parent PATH': 'Where its control group is made',
  }),
  ...flagsOf(
    'Limits',
    {
      'ulimit NAME=SOFT[:HARD]': 'A limit of each process, such as nofile=1024:4096',
      'blkio-weight-device DEVICE:N': 'Weight of its I/O on a device',
      'device-read-bps DEVICE:SIZE': 'Bytes a second that it may read',
      'device-write-bps DEVICE:SIZE': 'Bytes a second that it may write',
      'device-read-iops DEVICE:N': 'Reads a second',
      'device-write-iops DEVICE:N': 'Writes a second',
    },
    MANY,
  ),
]

const PROGRAM: readonly Flag[] = [
  ...flagsOf('Program', {
    'i, interactive': 'Keep its standard input open',
    't, tty': 'Give it a terminal',
    'entrypoint PROGRAM': "Run this in place of the image's ENTRYPOINT",
    'w, workdir FOLDER': 'Start there',
    'u, user USER[:GROUP]': 'Run as this user',
    init: 'Let a process that releases orphans be pid 1',
    'stop-signal SIGNAL': 'What ends it',
    'stop-timeout SECONDS': 'When it is killed after that',
  }),
  ...flagsOf(
    'Program',
    {
      'a, attach STREAM': 'Attach stdin, stdout or stderr only',
      'e, env NAME[=VALUE]': 'Set a variable; without a value, to that of this environment',
      'env-file FILE': 'Set the variables in a file, one a line',
      'group-add GROUP': 'Let it be in this group, too',
    },
    MANY,
  ),
]

const CONTAINER: readonly Flag[] = [
  ...flagsOf('Container', {
    'name NAME': 'Its name (default: one is invented)',
    rm: 'Remove it, and its anonymous volumes, when it has ended',
    'restart POLICY': 'When it is started again: no, on-failure[:COUNT], always or unless-stopped',
    'cidfile FILE': 'Write its id to a file that is not there yet',
    'log-driver DRIVER': 'Where its output is kept: json-file, local or none',
  }),
  ...flagsOf(
    'Container',
    {
      'l, label NAME[=VALUE]': 'Give it a label',
      'label-file FILE': 'Give it the labels in a file, one a line',
      'annotation NAME=VALUE': 'Pass this on to the runtime',
      'log-opt NAME=VALUE': 'A setting of the log driver',
    },
    MANY,
  ),
  ...flagsOf('Container', {
    'health-cmd COMMAND': 'Find out with this whether it is healthy',
    'health-interval TIME': 'Time between checks: 30s',
    'health-timeout TIME': 'What a check may take',
    'health-retries N': 'Failures in a row that make it unhealthy',
    'health-start-period TIME': 'Failures so early do not count',
    'health-start-interval TIME': 'Time between checks in that period',
    'no-healthcheck': "Do without the image's checks",
  }),
]

const FILES: readonly Flag[] = [
  ...flagsOf(
    'Files',
    {
      'v, volume [SOURCE:]PATH[:OPTIONS]':
        "Show it a volume, or a folder or file of the daemon's machine",
      'mount SETTINGS':
        'The same in CSV: type=bind|volume|tmpfs|image,source=S,target=PATH,readonly',
      'tmpfs PATH[:OPTIONS]': 'Give it memory as a folder',
      'volumes-from CONTAINER': 'Give it the volumes of another container',
      'device PATH[:PATH[:rwm]]': 'Give it a device',
      'device-cgroup-rule RULE': 'Let it use devices: c 1:3 rwm',
      'storage-opt NAME=VALUE': 'A setting of the storage driver',
    },
    MANY,
  ),
  ...flagsOf('Files', {
    'volume-driver DRIVER': 'Makes its volumes',
    'read-only': 'Let it not write to its root',
  }),
]

const NETWORK: readonly Flag[] = [
  ...flagsOf(
    'Network',
    {
      'p, publish [IP:][PORT:]PORT[/PROTOCOL]':
        "Publish a port, or a range of them, on the daemon's machine",
      'expose PORT[/PROTOCOL]': 'A port that --publish-all publishes, too',
      'network NETWORK':
        'Its network: NAME, bridge, none, host, container:NAME, or name=N,alias=A,ip=IP',
      'network-alias NAME': 'Another name on its network',
      'add-host NAME:IP': 'Add a line to /etc/hosts',
      'dns IP': 'Ask this name server',
      'dns-option OPTION': 'An option for resolv.conf',
      'dns-search DOMAIN': 'Complete names with this',
      'link CONTAINER[:ALIAS]': 'Let it reach another container by that name',
      'link-local-ip IP': 'A link-local address',
    },
    MANY,
  ),
  ...flagsOf('Network', {
    'P, publish-all': 'Publish all exposed ports on ports that are free',
    'h, hostname NAME': 'Its host name',
    'domainname NAME': 'Its domain name',
    'ip IP': 'Its IPv4 address',
    'ip6 IP': 'Its IPv6 address',
    'mac-address MAC': 'Its MAC address',
  }),
]

const RIGHTS: readonly Flag[] = [
  ...flagsOf('Rights', {
    privileged: "Give it all rights of the daemon's machine",
    'pid MODE': 'Its processes: host or container:NAME',
    'ipc MODE': 'Its shared memory: none, private, shareable, host or container:NAME',
    'uts MODE': 'Its host name: host',
    'userns MODE': 'Its users: host',
    'cgroupns MODE': 'Its control groups: host or private',
    'runtime NAME': 'What starts it',
    'gpus GPUS': 'Is refused: there is no runtime for GPUs',
  }),
  ...flagsOf(
    'Rights',
    {
      'cap-add CAPABILITY': 'Give it a capability, or ALL',
      'cap-drop CAPABILITY': 'Take a capability from it, or ALL',
      'security-opt OPTION':
        'Such as no-new-privileges, seccomp=FILE, apparmor=PROFILE, label=… or systempaths=unconfined',
      'sysctl NAME=VALUE': 'A setting of the kernel for its namespaces',
    },
    MANY,
  ),
]

const HIDDEN: readonly Flag[] = [
  ...flagsOf(
    'Network',
    {
      'net NETWORK': 'The same as --network',
      'net-alias NAME': 'The same as --network-alias',
      'dns-opt OPTION': 'The same as --dns-option',
    },
    { ...MANY, isHidden: true },
  ),
  ...flagsOf(
    'Limits',
    {
      'kernel-memory SIZE': 'Is ignored by daemons of today',
      'disable-content-trust': 'Does nothing',
    },
    { isHidden: true },
  ),
]

const IMAGE: readonly Flag[] = flagsOf('Image', {
  'pull WHEN': 'When to ask the registry for the image: always, missing (the default) or never',
  'platform OS/ARCH': 'The image for this platform',
  'q, quiet': 'Do not show how the image is pulled',
})

/** Flags of a new container. */
export const CREATE_FLAGS: readonly Flag[] = [
  ...CONTAINER,
  ...PROGRAM,
  ...FILES,
  ...NETWORK,
  ...RIGHTS,
  ...LIMIT_FLAGS,
  ...MORE_LIMITS,
  ...IMAGE,
  ...HIDDEN,
]
