/** What is said once where steps are limited, or isolated less than usual. */
import { canSetGroups, hasSingleId, isPidNamespace } from '#builder/linux'
import { hasNoNewPrivileges, type ProcessStatus } from '#builder/namespaces'
import { MORE_IDS, TsbuildError, unreachable } from '#core'
import type { Controller } from '../limits/group-setting.ts'
import type { StepPart } from '../process/prepared-step.ts'

/** What steps have or lack because of how this process was started. */
export function noticesOf(status: ProcessStatus): readonly TsbuildError[] {
  const notices: TsbuildError[] = []
  if (hasNoNewPrivileges(status)) {
    notices.push(
      notice(
        'set-uid programs in steps (sudo, su) get no rights: no_new_privs is set on this process',
        'start it without: allowPrivilegeEscalation of Kubernetes, no-new-privileges of docker, NoNewPrivileges of systemd',
      ),
    )
  }
  if (hasSingleId()) {
    notices.push(
      notice(
        'steps have one user id only: what changes owners or users (chown, apt-get, su) fails with "Invalid argument"',
        MORE_IDS,
      ),
    )
  }
  const primary = status.get('Gid')?.split('\t')[0]
  const others = (status.get('Groups') ?? '')
    .split(' ')
    .filter((gid) => gid !== '' && gid !== primary)
  if (!canSetGroups() && others.length > 0) {
    notices.push(
      notice(
        'steps keep the supplementary groups of the user who builds: the kernel lets one with a single id drop none',
        MORE_IDS,
      ),
    )
  }
  return notices
}

/** A limit that steps do not have. @param failure why */
export function missingLimitNotice(
  controller: Controller,
  { message, hint }: TsbuildError,
): TsbuildError {
  const effect =
    controller === 'devices'
      ? 'steps cannot open device files that they make'
      : 'nothing limits how many processes a step starts'
  return notice(`${effect}: ${message}`, hint)
}

/** The first version of control groups does not see what the kernel writes later for a step. */
export function directIoNotice(): TsbuildError {
  return notice(
    'limits of I/O hold for reading and for direct writing only: what steps write to files reaches the disk later, and this machine has control groups of the first version for I/O',
    'start the machine with systemd.unified_cgroup_hierarchy=1',
  )
}

/** Steps lack a part, or have the container's. */
export function missingPartNotice(part: StepPart): TsbuildError {
  switch (part) {
    case 'proc':
      return notice(
        'steps see the processes of this container, and of each other: its /proc is masked, so the kernel lets them mount none',
        'unmask it: docker run --security-opt systempaths=unconfined, procMount: Unmasked of Kubernetes',
      )
    case 'hostname':
      return notice(
        'steps have the host name of this container: a filter of system calls refuses them another',
        'start it without the filter: --security-opt seccomp=unconfined',
      )
    case 'loopback':
      return notice(
        'steps without a network have no loopback interface either: this process lacks the capability NET_ADMIN',
        'start it with the capability: docker run --cap-add NET_ADMIN',
      )
    case 'labels':
      return notice(
        'steps are not confined by SELinux: files that they are shown take no label of containers',
        'put the store on a file system with labels of its own (ext4, xfs, btrfs), and do without fuse-overlayfs',
      )
    default:
      return unreachable(part)
  }
}

/** Steps have the network of what the build runs in. @param cause why they have none of their own */
export function sharedNetworkNotice({ message, hint }: TsbuildError): TsbuildError {
  const where = isPidNamespace() ? 'container' : 'machine'
  return notice(
    `steps share the network of this ${where}, with all that listens on its loopback: ${message}`,
    `${hint ?? 'see docs/step-networks.md'}; or give steps none: --network=none`,
  )
}

/** The host has no server of names that steps may ask. @param refused those that it has */
export function noNamesNotice(refused: readonly string[]): TsbuildError {
  return notice(
    `steps find no names: /etc/resolv.conf has only servers on the link (${refused.join(', ')}), which tell machines of clouds their secrets, too`,
    'name another server there, such as that of systemd-resolved; or give steps --network=host',
  )
}

/** What is only said elsewhere, where the user wants all isolation or none. */
export function strictError({ message, hint }: TsbuildError): TsbuildError {
  return notice(`--isolation=strict allows no step here: ${message}`, hint)
}

/** A notice. @param hint what to do */
export function notice(message: string, hint: string | undefined): TsbuildError {
  return new TsbuildError(message, { code: 'SANDBOX_UNAVAILABLE', hint })
}
