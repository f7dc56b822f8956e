import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import type { SnapshotterKind } from '#core'
import { CASES } from './snapshot/cases.ts'
import { isSparse, SnapshotFixture } from './snapshot/fixture.ts'
import { RANDOM_STEPS } from './snapshot/random-steps.ts'

/** More than so many take a while, since each runs up to eight steps. */
const RUNS = Number(process.env.SNAPSHOT_RUNS ?? 8)

/** Two layers, what a third step sees of them, and their entries by case. */
interface Layers {
  readonly base: readonly string[]
  readonly step: readonly string[]
  readonly seen: readonly string[]
  readonly isSparse: boolean
}

const ofOverlay = new Map<string, Promise<Layers>>()

/** What every kind of snapshots must do: the same as the kernel's overlay, to the byte. */
export function snapshotSuite(kind: SnapshotterKind): void {
  describe(`snapshots: ${kind}`, function () {
    this.timeout(120_000)
    const cases = Object.fromEntries(
      Object.entries(CASES).filter(([, { not = [] }]) => !not.includes(kind)),
    )
    let layers: Layers
    let expected: Layers

    before(async () => {
      const titles = Object.keys(cases).join()
      const known = ofOverlay.get(titles) ?? makeLayers('overlay', cases)
      ofOverlay.set(titles, known)
      expected = await known
      layers = kind === 'overlay' ? expected : await makeLayers(kind, cases)
    })

    for (const [index, title] of Object.keys(cases).entries()) {
      it(`has the same layers when ${title}`, () => {
        for (const which of ['base', 'step', 'seen'] as const) {
          const wanted = ofCase(expected[which], index)
          assert.notEqual(ofCase(expected.base, index).length, 0)
          assert.deepEqual(ofCase(layers[which], index), wanted, which)
        }
      })
    }

    it('has the same tars', () => {
      for (const which of ['base', 'step'] as const) {
        assert.match(layers[which].at(-1) ?? '', /^sha256:/)
        assert.equal(layers[which].at(-1), expected[which].at(-1))
      }
    })

    it('keeps holes', () => {
      assert.ok(layers.isSparse)
    })

    // It forgets deletions in rare cases: ADR 27.
    if (kind !== 'fuse-overlayfs') {
      it('has the same layers whatever steps do', async () => {
        const fixtures = [new SnapshotFixture('overlay'), new SnapshotFixture(kind)] as const
        try {
          const property = fc.asyncProperty(RANDOM_STEPS, async (scripts) => {
            const [wanted, found] = await Promise.all(fixtures.map((one) => diffIds(one, scripts)))
            assert.deepEqual(found, wanted)
          })
          await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
        } finally {
          for (const fixture of fixtures) await fixture.close()
        }
      })
    }

    describe('beside the root', () => {
      let fixture: SnapshotFixture
      let lower: readonly string[]

      before(async () => {
        fixture = new SnapshotFixture(kind)
        const script = 'mkdir -p /m/d; echo a > /m/a; echo b > /m/d/b'
        const below = await fixture.step(script)
        const stack = [below.directory, fixture.image]
        const top = await fixture.step('rm /m/a; echo c > /m/d/c', stack)
        lower = [top.directory, ...stack]
      })

      after(() => fixture.close())

      it('shows layers that cannot be written to', async () => {
        const shown = await fixture.look(
          lower,
          { writable: false },
          'cat /m/d/b; ls /m /m/d; ! rm /m/d/b',
        )
        assert.equal(shown.split('rm:')[0], 'b\n/m:\nd\n\n/m/d:\nb\nc\n')
        assert.match(shown, /Read-only file system/)
      })

      it('shows no layers as an empty folder', async () => {
        assert.equal(await fixture.look([], { writable: false }, 'ls -A /m'), '')
        assert.equal(await fixture.look([], { writable: true }, 'echo x > /m/x; ls /m'), 'x\n')
      })

      it('drops what is written', async () => {
        for (const name of ['new', 'newer']) {
          const script = `ls /m/d; echo x > /m/d/${name}; rm /m/d/b; mkdir /m/e; cat /m/d/${name}`
          assert.equal(await fixture.look(lower, { writable: true }, script), 'b\nc\nx\n')
        }
        assert.deepEqual(readdirSync(`${lower[0]}/m/d`), ['c'])
      })
    })
  })
}

/** Of the layers that steps make on top of each other. */
async function diffIds(
  fixture: SnapshotFixture,
  scripts: readonly string[],
): Promise<readonly (string | undefined)[]> {
  let lower: readonly string[] = [fixture.image]
  const found: (string | undefined)[] = []
  for (const script of scripts) {
    const { directory } = await fixture.step(script, lower)
    found.push(fixture.packed(directory, lower).at(-1))
    lower = [directory, ...lower]
  }
  return found
}

function ofCase(lines: readonly string[], index: number): readonly string[] {
  return lines.filter((line) => line.startsWith(`t/${index}/`))
}

async function makeLayers(kind: SnapshotterKind, cases: typeof CASES): Promise<Layers> {
  const fixture = new SnapshotFixture(kind)
  try {
    const base = await fixture.step(scriptOf(cases, 'base'))
    const onBase = [base.directory, fixture.image]
    const step = await fixture.step(scriptOf(cases, 'step'), onBase)
    const { output } = await fixture.step(LOOK, [step.directory, ...onBase])
    assert.deepEqual(fixture.choices, [kind])
    const holes = Object.keys(cases).indexOf('files have holes')
    return {
      base: fixture.packed(base.directory, [fixture.image]),
      step: fixture.packed(step.directory, onBase),
      seen: output.split('\n'),
      isSparse: isSparse(`${step.directory}/t/${holes}/b`),
    }
  } finally {
    await fixture.close()
  }
}

function scriptOf(cases: typeof CASES, which: 'base' | 'step'): string {
  const parts = Object.values(cases).map((one, index) => {
    return `mkdir -p /t/${index} && (cd /t/${index} && { ${one[which]}; }) || exit ${index + 1}`
  })
  return parts.join('\n')
}

/** All that is there, with the content of files; not what is too deep for a path. */
const LOOK = `cd /; find t -maxdepth 8 | sort | while read -r f; do
  [ -L "$f" ] && { echo "$f $(stat -c '%F %a %u:%g %Y %N' "$f")"; continue; }
  [ -f "$f" ] && { echo "$f $(stat -c '%F %a %u:%g %s %Y %t:%T' "$f") $(sha256sum < "$f")"; continue; }
  echo "$f $(stat -c '%F %a %u:%g %t:%T' "$f")"; done`
