import { COLUMNS, type Column } from './support/builds.ts'
import type { Kind } from './support/kinds.ts'

/** A kind of container, and what becomes of each build in it. */
export interface Row {
  readonly name: string
  readonly kind: Kind
  /** The builds that cannot be done there, with the exact error; all others equal the host's. */
  readonly fails: Failures
  /** What builds with a RUN say of steps that are less isolated than on a host. */
  readonly warnings: readonly string[]
  /** What single builds say besides. */
  readonly alsoWarns?: Readonly<Partial<Record<Column, string>>>
}

type Failures = Readonly<Partial<Record<Column, string>>>

const UNCONFINED = ['--security-opt', 'seccomp=unconfined']
const NO_NEW_PRIVILEGES = ['--security-opt', 'no-new-privileges']
const USER = ['--user', '1000']
const READ_ONLY = ['--read-only']

/** The capabilities that docker leaves a container, each of which an administrator may take away. */
const DOCKERS_CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

const SHARED_NETWORK =
  'steps share the network of this container (install slirp4netns in it, and start it with --device /dev/net/tun; or give steps none: --network=none)'
const SHARED_PROCESSES =
  'steps see the processes of this container, and of each other: its /proc is masked, so the kernel lets them mount none (unmask it: docker run --security-opt systempaths=unconfined, procMount: Unmasked of Kubernetes)'
const NO_SET_UID_PROGRAMS =
  'set-uid programs in steps (sudo, su) get no rights: no_new_privs is set on this process (start it without: allowPrivilegeEscalation of Kubernetes, no-new-privileges of docker, NoNewPrivileges of systemd)'
const IN_PLACE =
  'RUN steps run in place: in the root of this container, which becomes that of each stage; the container is all that isolates them, from the build as well (where steps may have namespaces, they are isolated from each other and from the build: see docs/in-place.md)'

const NO_NAMESPACES = [
  'steps need namespaces, which this process may not make: EPERM: operation not permitted, unshare (SANDBOX_UNAVAILABLE)',
  'hint: in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined; for a pod of Kubernetes seccompProfile.type: Unconfined, or hostUsers: false with the capability SYS_ADMIN; or use the image tsbuild, which runs steps in place',
].join('\n')
const NOT_ROOT = [
  'cannot run steps in place: this process is not root (SANDBOX_UNAVAILABLE)',
  'hint: start the container as root (docker run --user 0, runAsUser: 0 of Kubernetes); images without RUN need no rights',
].join('\n')
const READ_ONLY_ROOT = [
  'cannot run steps in place: the root file system of this container is read-only (SANDBOX_UNAVAILABLE)',
  'hint: start the container with one that can be written to (docker run without --read-only, readOnlyRootFilesystem: false of Kubernetes); images without RUN need no rights',
].join('\n')
const NO_DEVICES = 'mknod: /nodes/null: Operation not permitted'
const NO_SET_UID = '/private: Permission denied'

/** What cannot be done in a user namespace with a single id. */
const MORE_IDS =
  'install newuidmap (package uidmap) and give your user 65536 ids in /etc/subuid and /etc/subgid'
const OTHERS_ARE_ROOTS = `there is one user id only, so steps see files of other owners as root's: /etc/gshadow (0:42), /etc/shadow (0:42), /usr/bin/chage (0:42) and 9 more (${MORE_IDS}) (line 6)`
const WITH_ONE_ID: Failures = {
  apt: 'E: Sub-process file returned an error code (112)',
  capabilities: [
    'run as 65534:65534: this user namespace lacks these ids: EINVAL: invalid argument, fchown (STEP_FAILED)',
    `hint: ${MORE_IDS}`,
  ].join('\n'),
  changes: 'chown: /below/owner: Invalid argument',
  devices: NO_DEVICES,
  mounts: [
    "mount /own for 5:0: this user namespace lacks these ids: EINVAL: invalid argument, chown '…/mount/data' (STEP_FAILED)",
    `hint: ${MORE_IDS}`,
  ].join('\n'),
  users: 'chown: /home/app: Invalid argument',
}

/** What steps in place miss with one capability less. */
const WITHOUT: Readonly<Record<string, Failures>> = {
  CHOWN: allSteps(lacks('capability', 'CHOWN')),
  DAC_OVERRIDE: allSteps(lacks('capability', 'DAC_OVERRIDE')),
  FOWNER: allSteps(lacks('capability', 'FOWNER')),
  FSETID: allSteps(lacks('capability', 'FSETID')),
  MKNOD: { devices: NO_DEVICES },
  SETFCAP: {
    capabilities: '/bin/may-read: Operation not permitted',
    apt: 'E: Sub-process /usr/bin/dpkg returned an error code (1)',
  },
  SETGID: allSteps(lacks('capability', 'SETGID')),
  SETUID: allSteps(lacks('capability', 'SETUID')),
}

/** Why a container does not run steps in place. */
function lacks(what: 'capability' | 'capabilities', names: string): string {
  return [
    `cannot run steps in place: this process lacks the ${what} ${names} (SANDBOX_UNAVAILABLE)`,
    `hint: leave the container the ${what} (docker run without --cap-drop, or with --cap-add; capabilities.add of Kubernetes); images without RUN need no rights`,
  ].join('\n')
}

/** Every build with a RUN fails with this. */
function allSteps(error: string): Failures {
  const failing = COLUMNS.filter((column) => column !== 'copies')
  return Object.fromEntries(failing.map((column) => [column, error]))
}

/** Rows of an engine whose root is the machine's. */
export const ROWS: readonly Row[] = [
  {
    name: 'privileged, store in the container',
    kind: { image: 'slim', isPrivileged: true },
    fails: {},
    warnings: [SHARED_NETWORK],
  },
  {
    name: 'privileged, store on a volume',
    kind: { image: 'slim', isPrivileged: true, store: 'volume' },
    fails: {},
    warnings: [SHARED_NETWORK],
  },
  {
    name: 'privileged, no-new-privileges',
    kind: { image: 'slim', isPrivileged: true, options: NO_NEW_PRIVILEGES, store: 'volume' },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [NO_SET_UID_PROGRAMS, SHARED_NETWORK],
  },
  {
    name: 'privileged, read-only root, tmpfs',
    kind: { image: 'slim', isPrivileged: true, options: READ_ONLY, store: 'tmpfs' },
    fails: {},
    warnings: [SHARED_NETWORK],
  },
  {
    name: 'unconfined, root',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, root, store on a volume',
    kind: { image: 'slim', options: UNCONFINED, store: 'volume' },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, root, no-new-privileges',
    kind: { image: 'slim', options: [...UNCONFINED, ...NO_NEW_PRIVILEGES] },
    fails: { devices: NO_DEVICES, users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [NO_SET_UID_PROGRAMS, SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, uid 1000',
    kind: { image: 'slim', options: [...UNCONFINED, ...USER] },
    fails: WITH_ONE_ID,
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
    alsoWarns: { compile: OTHERS_ARE_ROOTS },
  },
  {
    name: 'default, root, an image of another',
    kind: { image: 'slim' },
    fails: allSteps(NO_NAMESPACES),
    warnings: [],
  },
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: {},
    warnings: [IN_PLACE],
  },
  {
    name: 'default, root, store on a volume',
    kind: { image: 'tsbuild', store: 'volume' },
    fails: {},
    warnings: [IN_PLACE],
  },
  {
    name: 'default, root, no-new-privileges',
    kind: { image: 'tsbuild', options: NO_NEW_PRIVILEGES },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [IN_PLACE, NO_SET_UID_PROGRAMS],
  },
  {
    name: 'default, uid 1000',
    kind: { image: 'tsbuild', options: USER },
    fails: allSteps(NOT_ROOT),
    warnings: [],
  },
  {
    name: 'default, all capabilities dropped',
    kind: { image: 'tsbuild', options: ['--cap-drop', 'ALL'] },
    fails: allSteps(lacks('capabilities', 'CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID')),
    warnings: [],
  },
  {
    name: 'default, read-only root, tmpfs',
    kind: { image: 'tsbuild', options: READ_ONLY, store: 'tmpfs' },
    fails: allSteps(READ_ONLY_ROOT),
    warnings: [],
  },
  ...DOCKERS_CAPABILITIES.map((capability) => ({
    name: `default, root without ${capability}`,
    kind: { image: 'tsbuild', options: ['--cap-drop', capability] } as const,
    fails: WITHOUT[capability] ?? {},
    warnings: [IN_PLACE],
  })),
]

/** Rows of a docker whose containers are in a user namespace, which it makes no privileged ones in. */
export const REMAPPED_ROWS: readonly Row[] = [
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: { devices: NO_DEVICES },
    warnings: [IN_PLACE],
  },
  {
    name: 'unconfined',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'all that privileged gives',
    kind: {
      image: 'slim',
      options: ['--cap-add', 'ALL', ...UNCONFINED, '--security-opt', 'systempaths=unconfined'],
    },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK],
  },
  {
    name: 'default with SYS_ADMIN',
    kind: { image: 'tsbuild', options: ['--cap-add', 'SYS_ADMIN'] },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK],
  },
]
