import { missingNamespacesError } from '#builder/namespaces'
import { checkSandbox } from '#builder/sandbox'
import { checkDisk } from './disk.ts'
import { checkEmulators } from './emulators.ts'
import { checkControlGroups } from './groups.ts'
import type { HostCheck } from './host-check.ts'
import { checkPrograms, checkRuntimes } from './programs.ts'
import { checkConfinement, checkFilter } from './rules.ts'

/** Where builds would work. */
export interface HostCheckOptions {
  /** The folder of the store. */
  readonly root: string
  /** A folder to work in; nothing is left in it. */
  readonly temporary: string
}

/** Says what this machine allows: by looking, and where only trying tells, by trying. */
export async function checkHost({
  root,
  temporary,
}: HostCheckOptions): Promise<readonly HostCheck[]> {
  const namespaces = checkNamespaces()
  const sandbox = namespaces.state === 'ok' ? await checkSandbox(temporary) : []
  return [
    namespaces,
    ...sandbox,
    ...(await checkControlGroups()),
    checkFilter(),
    checkConfinement(root),
    ...checkRuntimes(),
    checkEmulators(),
    ...checkPrograms(),
    checkDisk(root),
  ]
}

function checkNamespaces(): HostCheck {
  const subject = 'namespaces'
  const failure = missingNamespacesError()
  if (failure === undefined) return { subject, state: 'ok', detail: 'steps have their own' }
  const inPlace = 'in a container, steps can run in place: --isolation=in-place'
  const hint = failure.hint === undefined ? inPlace : `${failure.hint}; ${inPlace}`
  return { subject, state: 'limited', detail: failure.message, hint }
}
