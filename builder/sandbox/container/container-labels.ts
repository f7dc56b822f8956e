import { TsbuildError } from '#core'
import type { SelinuxLabels } from '../filter/selinux.ts'
import type { StepSpec } from '../spec/step-spec.ts'

/** Where the parts are in a label: what follows the third colon is the level. */
const PARTS: readonly string[] = ['user', 'role', 'type', 'level']

/** The labels of a container where steps have these; absent: none. @throws {TsbuildError} USAGE */
export function labelsFor(
  { container }: Pick<StepSpec, 'container'>,
  labels: SelinuxLabels | undefined,
): SelinuxLabels | undefined {
  let result = labels
  for (const option of container?.labels ?? []) {
    const [name = '', ...rest] = option.split(':')
    const value = rest.join(':')
    if (name === 'disable' && value === '') return undefined
    const index = PARTS.indexOf(name)
    if (index < 0 || !/^[\w.,:-]+$/.test(value)) throw labelError(option)
    if (result === undefined) continue
    const process = withPart(result.process, index, value)
    // Files are of another type and role, but of the same level.
    const file = name === 'level' ? withPart(result.file, index, value) : result.file
    result = { ...result, process, file }
  }
  return result
}

function withPart(label: string, index: number, value: string): string {
  const [user = '', role = '', type = '', ...level] = label.split(':')
  const parts = [user, role, type, level.join(':')]
  parts[index] = value
  return parts.filter((part) => part !== '').join(':')
}

function labelError(option: string): TsbuildError {
  return new TsbuildError(`invalid option of SELinux: ${JSON.stringify(option)}`, {
    code: 'USAGE',
    hint: 'disable, type:…, level:…, user:… and role:… are known',
  })
}
