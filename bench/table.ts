import type { Times } from './measure.ts'

/** One line of the result. */
export interface Row {
  readonly name: string
  readonly times: Times
  /** What the ratios to BuildKit and buildah should at least be; absent: no promise. */
  readonly target?: readonly [buildKit: number, buildah: number]
}

/** A Markdown table: times in milliseconds, and how many times slower the others are. */
export function formatTable(rows: readonly Row[]): string {
  const head = [
    '',
    'tsbuild',
    'BuildKit',
    'buildah',
    'BuildKit : tsbuild',
    'buildah : tsbuild',
    'target',
  ]
  const lines = rows.map(({ name, times, target }) => {
    const [own = 0, buildKit = 0, buildah = 0] = ['tsbuild', 'BuildKit', 'buildah'].map((builder) =>
      times.get(builder),
    )
    return [
      name,
      ...[own, buildKit, buildah].map(milliseconds),
      ...[buildKit / own, buildah / own].map((ratio) => `${ratio.toFixed(1)}×`),
      target === undefined ? '' : target.map((least) => `≥ ${least}×`).join(', '),
    ]
  })
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** `12.3 ms`, `1,234 ms`. */
export function milliseconds(value: number): string {
  const digits = value < 100 ? 1 : 0
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`
}
