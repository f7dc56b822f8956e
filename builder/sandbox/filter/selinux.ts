import { digestOf, hexOf } from '#core'

/** Labels of steps. */
export interface SelinuxLabels {
  /** Of processes. */
  readonly process: string
  /** Of all files that they see. */
  readonly file: string
  /** Of what overlayfs shows them of, which the kernel asks about where programs are mapped. */
  readonly source: string
}

/** What steps get: labels, or `none` where there is no SELinux for them, or `missing` with the reason. */
export type SelinuxState =
  | { readonly kind: 'labels'; readonly labels: SelinuxLabels }
  | { readonly kind: 'none' }
  | { readonly kind: 'missing'; readonly reason: string }

/** How the kernel and the files of a policy are asked. */
export interface SelinuxFiles {
  /** @returns the text of a file; absent: there is none, or this process may not read it */
  readonly read: (path: string) => string | undefined
  /** Writes to a file of the kernel, and reads its answer from it. @returns absent: it is no valid question */
  readonly ask: (path: string, question: string) => string | undefined
  /** Whether this process may ask. */
  readonly mayAsk: (path: string) => boolean
  /** No program gets more rights than the one before it has, so the kernel asks for one more right. */
  readonly hasNoNewPrivileges: boolean
}

const KERNEL = '/sys/fs/selinux'

/**
 * Finds the labels that the policy has for containers, and whether it lets this process start programs with them. A
 * program whose start the policy refused would not start at all, where it starts without labels.
 * @param store its folder; steps of one may read each other's files
 * Spec: lxc_contexts(5); security_compute_av(3)
 */
export function selinuxState(files: SelinuxFiles, store: () => string): SelinuxState {
  const own = files.read('/proc/thread-self/attr/current')?.replace(/[\0\n]+$/, '')
  // Without a policy the kernel knows only its own label.
  if (files.read(`${KERNEL}/enforce`) === undefined || own === 'kernel') return { kind: 'none' }
  if (!files.mayAsk(`${KERNEL}/access`)) return missing('this process may not ask its policy')
  const labels = policyLabels(files, categoriesOf(store()))
  if (labels === undefined) return missing('its policy names no labels of containers')
  for (const label of Object.values(labels)) {
    if (files.ask(`${KERNEL}/context`, label) === undefined) {
      return missing(`its policy does not know the label ${label}`)
    }
  }
  if (own === undefined) return missing('/proc does not tell the label of this process')
  const refused = neededRights(own, labels, files).find((right) => !isAllowed(files, right))
  if (refused === undefined) return { kind: 'labels', labels }
  const { subject, object, permission, class: type } = refused
  return missing(`its policy refuses ${subject} ${permission} of a ${type} of ${object}`)
}

function missing(reason: string): SelinuxState {
  return { kind: 'missing', reason }
}

/** Those of the policy that is configured, with categories of our own. */
function policyLabels({ read }: SelinuxFiles, categories: string): SelinuxLabels | undefined {
  const type = /^SELINUXTYPE=(\S+)/m.exec(read('/etc/selinux/config') ?? '')?.[1]
  const text = read(`/etc/selinux/${type}/contexts/lxc_contexts`) ?? ''
  const find = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*=\\s*"([^"\\s]+)"`, 'm').exec(text)?.[1]
  const [process, file, source] = [find('process'), find('file'), find('ro_file')]
  if (process === undefined || file === undefined || source === undefined) return undefined
  const own = (label: string): string => withCategories(label, categories)
  return { process: own(process), file: own(file), source }
}

/** A label without a level is one of a policy without categories. */
function withCategories(label: string, categories: string): string {
  const [user, role, type, sensitivity] = label.split(':')
  if (sensitivity === undefined) return label
  return [user, role, type, sensitivity, categories].join(':')
}

const CATEGORIES = 1024

/** Two categories that keep steps apart from containers and from the steps of others, as engines choose them. */
function categoriesOf(store: string): string {
  const hex = hexOf(digestOf(store))
  const first = Number.parseInt(hex.slice(0, 8), 16) % CATEGORIES
  const distance = 1 + (Number.parseInt(hex.slice(8, 16), 16) % (CATEGORIES - 1))
  const second = (first + distance) % CATEGORIES
  return [first, second]
    .toSorted((a, b) => a - b)
    .map((category) => `c${category}`)
    .join(',')
}

interface Right {
  readonly subject: string
  readonly object: string
  readonly class: string
  readonly permission: string
}

/** What the start of a program with these labels takes, on files with them, beside the builder's pipes. */
function neededRights(
  own: string,
  { process, file, source }: SelinuxLabels,
  { hasNoNewPrivileges }: Pick<SelinuxFiles, 'hasNoNewPrivileges'>,
): readonly Right[] {
  const right = (subject: string, object: string, what: readonly [string, string]): Right => {
    const [type, permission] = what
    return { subject, object, class: type, permission }
  }
  return [
    right(own, own, ['process', 'setexec']),
    right(own, own, ['process', 'setsockcreate']),
    right(own, process, ['process', 'transition']),
    right(own, file, ['filesystem', 'relabelto']),
    right(own, source, ['file', 'relabelto']),
    right(process, source, ['file', 'execute']),
    right(process, file, ['file', 'entrypoint']),
    right(process, own, ['fd', 'use']),
    right(process, own, ['fifo_file', 'read']),
    right(process, own, ['fifo_file', 'write']),
    ...(hasNoNewPrivileges ? [right(own, process, ['process2', 'nnp_transition'])] : []),
    right(process, own, ['process', 'sigchld']),
  ]
}

function isAllowed({ read, ask }: SelinuxFiles, right: Right): boolean {
  const type = `${KERNEL}/class/${right.class}`
  const [index, bit] = [read(`${type}/index`), read(`${type}/perms/${right.permission}`)]
  if (index === undefined || bit === undefined) return false
  const answer = ask(`${KERNEL}/access`, `${right.subject} ${right.object} ${index.trim()}`)
  const allowed = Number.parseInt(answer?.split(' ')[0] ?? '0', 16)
  return ((allowed >>> (Number(bit) - 1)) & 1) === 1
}
