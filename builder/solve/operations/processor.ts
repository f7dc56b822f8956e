import { readFileSync } from 'node:fs'

const CPU_INFO = '/proc/cpuinfo'

/**
 * What each level of x86-64 needs beyond the one before, by the kernel's names.
 * Spec: x86-64 psABI, micro-architecture levels; `abm` is LZCNT, `pni` SSE3, `cx16` CMPXCHG16B
 */
const LEVELS: readonly (readonly [level: number, flags: readonly string[]])[] = [
  [2, ['cx16', 'lahf_lm', 'pni', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3']],
  [3, ['abm', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'xsave']],
  [4, ['avx512bw', 'avx512cd', 'avx512dq', 'avx512f', 'avx512vl']],
]

/**
 * What this machine's processors lack of a variant of amd64 such as `v3`; empty when nothing is
 * missing, or when it cannot be known.
 */
export function missingFlags(
  variant: string | undefined,
  file: string = CPU_INFO,
): readonly string[] {
  const wanted = Number(/^v(\d)$/.exec(variant ?? '')?.[1] ?? 1)
  const needed = LEVELS.flatMap(([level, flags]) => (level <= wanted ? flags : []))
  const text = needed.length === 0 ? '' : readFileSync(file, 'utf8')
  const found = text.matchAll(/^flags\s*:(.*)$/gm)
  const missing = new Set<string>()
  for (const [, flags = ''] of found) {
    const has = new Set(flags.split(' '))
    for (const flag of needed) if (!has.has(flag)) missing.add(flag)
  }
  return [...missing].sort()
}
