import type { Reported, Verification } from '#builder/verify'
import { cleanLine, formatBytes, formatCount } from '../terminal/text.ts'

/** One JSON document, for programs. */
export function verificationJson(verification: Verification): string {
  return `${JSON.stringify(verification, undefined, 2)}\n`
}

/** A line for each finding, and one for what was looked at. */
export function verificationText({ root, checked, findings, isSound }: Verification): string {
  const { names, blobs, bytes, layers, unproven, elsewhere } = checked
  const lines = findings.map(findingLine)
  const unknown = unproven === 0 ? '' : `, ${unproven} folders of layers without a digest`
  const left = elsewhere === 0 ? '' : `, and ${formatCount(elsewhere, 'layer')} left in registries`
  const read = `${names} names, ${blobs} blobs (${formatBytes(bytes)}), ${layers} folders of layers${unknown}${left}`
  const verdict = isSound ? 'sound' : 'DAMAGED'
  return [...lines, `${root} is ${verdict}: ${read}`].map((line) => `${cleanLine(line)}\n`).join('')
}

const LABELS = {
  damage: { found: 'DAMAGED ', repaired: 'REPAIRED', kept: 'DAMAGED ' },
  leftover: { found: 'leftover', repaired: 'cleared ', kept: 'leftover' },
} as const

function findingLine({ severity, state, subject, problem, remedy, failure }: Reported): string {
  const label = LABELS[severity][state]
  const outcome = {
    found: `--repair ${remedy}`,
    repaired: `a repair ${remedy}`,
    kept: failure === undefined ? `a repair ${remedy}` : `not repaired: ${failure}`,
  }[state]
  return `${label}  ${subject} ${problem} (${outcome})`
}
