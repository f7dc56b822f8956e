import fc, { type Arbitrary } from 'fast-check'
import { plainCase } from './plain-case.ts'
import type { DifferentialCase } from './tables.ts'

/**
 * Steps made by chance that change, copy and remove the same few files again and again, the same for
 * the same seed. A step may fail, if it does so for both builders.
 */
export function generateFileCases(seed: number, count: number): readonly DifferentialCase[] {
  return fc.sample(dockerfile, { seed, numRuns: count }).map((text, index) => ({
    ...plainCase(`files by chance: ${seed}/${index}`, text),
    files: CONTEXT,
    isFree: true,
  }))
}

const CONTEXT: readonly string[] = [
  'a 0640 =from the context',
  'b/a =b/a',
  'b/b/c 0755 =b/b/c',
  'b/l -> a',
  'c/ 0700',
  'c/h =hard',
  'c/i => c/h',
  'l -> b',
  '.hidden',
]

const name = fc.constantFrom('a', 'b', 'c')
const place = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((parts) => ['/w', ...parts].join('/'))
const owner = fc.constantFrom('1:2', '1000', 'app', '0:5')
const mode = fc.constantFrom('0600', '0755', '0700', '0444')

/** One command of a step; a later one runs whether an earlier one could or not. */
const command: Arbitrary<string> = fc.oneof(
  place.map((to) => `mkdir -p ${to}`),
  fc.tuple(place, name).map(([at, file]) => `mkdir -p ${at}; echo ${file} > ${at}/${file}`),
  place.map((gone) => `rm -rf ${gone}`),
  place.map((gone) => `rm -f ${gone}`),
  place.map((gone) => `rm -rf ${gone} && mkdir -p ${gone} && echo again > ${gone}/new`),
  fc.tuple(place, place).map(([from, to]) => `mv ${from} ${to}`),
  fc.tuple(place, place).map(([from, to]) => `cp -a ${from} ${to}`),
  fc.tuple(place, place).map(([from, to]) => `ln ${from} ${to}`),
  fc.tuple(place, place).map(([from, to]) => `ln -sfn ${from} ${to}`),
  fc.tuple(name, place).map(([from, to]) => `ln -s ${from} ${to}`),
  place.map((at) => `echo more >> ${at}`),
  fc.tuple(mode, place).map(([bits, at]) => `chmod ${bits} ${at}`),
  fc.tuple(owner, place).map(([who, at]) => `chown -h ${who} ${at}`),
)

const step = fc
  .array(command, { minLength: 1, maxLength: 4 })
  .map((commands) => `RUN { ${commands.join('; ')}; } 2>/dev/null; true`)

const source = fc.constantFrom('a', 'b', 'c', 'l', '.', 'b/*', '*', 'b/b a', '?', 'b/l')
/** Mostly where nothing is in the way. */
const destination = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(place, fc.constantFrom('', '/')).map((both) => both.join('')) },
  { weight: 6, arbitrary: fc.constantFrom('/w/new/', '/w/x/y/', '/x/y/z/', '/w/', '/x/') },
)
const flag = fc.oneof(
  fc.constantFrom('', '', '', '--chmod=0755 '),
  owner.map((who) => `--chown=${who} `),
)
const copy = fc
  .tuple(fc.constantFrom('COPY', 'COPY', 'ADD'), flag, source, destination)
  .map(([keyword, flags, from, to]) => `${keyword} ${flags}${from} ${to}`)
const copyFrom = fc
  .tuple(
    flag,
    fc.oneof(
      { weight: 1, arbitrary: place },
      { weight: 6, arbitrary: fc.constantFrom('/w', '/w/a*', '/w/[ac]', '/w/*/c', '/w/./') },
    ),
    destination,
  )
  .map(([flags, from, to]) => `COPY --from=other ${flags}${from} ${to}`)
const workdir = fc.constantFrom('/w/new', '/w/d/e', 'd').map((to) => `WORKDIR ${to}\nCOPY a .`)

const start = 'RUN mkdir -p /w/a /w/b/c && echo a > /w/a/b && ln /w/a/b /w/a/c && ln -s a /w/c'
const stage = (...kinds: readonly Arbitrary<string>[]): Arbitrary<string> =>
  fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 5 }).map((lines) => lines.join('\n'))

const dockerfile = fc
  .tuple(stage(step, copy), stage(step, step, copy, copy, copyFrom, copyFrom, workdir))
  .map(([other, last]) => `FROM root AS other\n${start}\n${other}\nFROM root\n${start}\n${last}\n`)
