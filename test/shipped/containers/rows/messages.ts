/** What tsbuild and its steps say where a container allows less than a machine does. */
import type { Failures } from './row.ts'

/** Of docker's capabilities. */
const NEEDED_IN_PLACE = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETGID', 'SETUID']
/** What root needs to give its ids to a namespace. */
const NEEDED_BY_ROOT = ['SETGID', 'SETUID', 'SETFCAP']

export const SHARED_NETWORK: string =
  'steps share the network of this container, with all that listens on its loopback: neither slirp4netns nor pasta is installed, and /dev/net/tun cannot be opened (install the package slirp4netns (or passt), and start the container with --device /dev/net/tun; or give steps none: --network=none)'
export const SHARED_PROCESSES: string =
  'steps see the processes of this container, and of each other: its /proc is masked, so the kernel lets them mount none (unmask it: docker run --security-opt systempaths=unconfined, procMount: Unmasked of Kubernetes)'
export const NO_SET_UID_PROGRAMS: string =
  'set-uid programs in steps (sudo, su) get no rights: no_new_privs is set on this process (start it without: allowPrivilegeEscalation of Kubernetes, no-new-privileges of docker, NoNewPrivileges of systemd)'
export const IN_PLACE: string =
  'RUN steps run in place: in the root of this container, which becomes that of each stage; the container is all that isolates them, from the build as well (where steps may have namespaces, they are isolated from each other and from the build: see docs/in-place.md)'

const NAMESPACES =
  'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined; for a pod of Kubernetes seccompProfile.type: Unconfined, or hostUsers: false with the capability SYS_ADMIN'

export const NO_NAMESPACES: string = [
  'steps need namespaces, which this process may not make: EPERM: operation not permitted, unshare (SANDBOX_UNAVAILABLE)',
  `hint: in a container: ${NAMESPACES}; or use the image tsbuild, which runs steps in place`,
].join('\n')
export const NOT_ROOT: string = inNoWay({
  reason: 'this process is not root',
  remedy: 'start the container as root (docker run --user 0, runAsUser: 0 of Kubernetes)',
})
export const READ_ONLY_ROOT: string = inNoWay({
  reason: 'the root file system of this container is read-only',
  remedy:
    'start the container with one that can be written to (docker run without --read-only, readOnlyRootFilesystem: false of Kubernetes)',
})
export const NO_DEVICES: string = 'mknod: /nodes/null: Operation not permitted'
export const NO_SET_UID: string = '/private: Permission denied'

const MORE_IDS =
  'install newuidmap (package uidmap) and give your user 65536 ids in /etc/subuid and /etc/subgid'
export const ONE_ID: string = `steps have one user id only: what changes owners or users (chown, apt-get, su) fails with "Invalid argument" (${MORE_IDS})`
export const OTHERS_ARE_ROOTS: string = `there is one user id only, so steps see files of other owners as root's: /etc/gshadow (0:42), /etc/shadow (0:42), /usr/bin/chage (0:42) and 9 more (${MORE_IDS}) (line 6)`
/** What cannot be done in a user namespace with a single id. */
export const WITH_ONE_ID: Failures = {
  apt: 'E: Sub-process file returned an error code (112)',
  capabilities: [
    'run as 65534:65534: this user namespace lacks these ids: EINVAL: invalid argument, fchown (STEP_FAILED)',
    `hint: ${MORE_IDS}`,
  ].join('\n'),
  changes: 'chown: /below/owner: Invalid argument',
  devices: NO_DEVICES,
  mounts: [
    'mount /own for 5:0: this user namespace lacks these ids: EINVAL: invalid argument, fchown (STEP_FAILED)',
    `hint: ${MORE_IDS}`,
  ].join('\n'),
  users: 'chown: /home/app: Invalid argument',
}

/** Why a container without these capabilities runs no steps. */
export function lacks(...names: readonly string[]): string {
  return inNoWay(inPlaceWithout(names), forNamespacesWithout(names))
}

/** The same where the engine's filter lets everyone make namespaces. */
export function lacksWithNamespaces(...names: readonly string[]): string {
  return inNoWay(inPlaceWithout(names), { refused: "write 'uid_map'", remedies: rootNeeds(names) })
}

/** A way to run steps that is closed. */
interface InPlaceObstacle {
  readonly reason: string
  readonly remedy: string
}

interface NamespacesObstacle {
  readonly refused: string
  readonly remedies: readonly string[]
}

/** In the image tsbuild, which could do either. */
function inNoWay(
  inPlace: InPlaceObstacle,
  { refused, remedies }: NamespacesObstacle = forNamespacesWithout([]),
): string {
  return [
    `steps need namespaces, which this process may not make: EPERM: operation not permitted, ${refused}; and cannot run steps in place: ${inPlace.reason} (SANDBOX_UNAVAILABLE)`,
    `hint: let steps have namespaces: ${remedies.join('; and ')}; or run in place: ${inPlace.remedy}; images without RUN need no rights`,
  ].join('\n')
}

function inPlaceWithout(names: readonly string[]): InPlaceObstacle {
  const needed = names.filter((name) => NEEDED_IN_PLACE.includes(name))
  const what = needed.length === 1 ? 'capability' : 'capabilities'
  return {
    reason: `this process lacks the ${what} ${needed.join(', ')}`,
    remedy: `leave the container the ${what} (docker run without --cap-drop, or with --cap-add; capabilities.add of Kubernetes)`,
  }
}

function forNamespacesWithout(names: readonly string[]): NamespacesObstacle {
  return { refused: 'unshare', remedies: [...rootNeeds(names), NAMESPACES] }
}

function rootNeeds(names: readonly string[]): readonly string[] {
  const needed = NEEDED_BY_ROOT.filter((name) => names.includes(name))
  if (needed.length === 0) return []
  const what = needed.length === 1 ? 'capability' : 'capabilities'
  return [
    `leave root the ${what} ${needed.join(', ')} (docker run --cap-add, capabilities.add of Kubernetes)`,
  ]
}
