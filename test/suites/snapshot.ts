import assert from 'node:assert/strict'
import type { SnapshotterKind } from '#builder/snapshot'
import { CASES } from './snapshot/cases.ts'
import { isSparse, SnapshotFixture } from './snapshot/fixture.ts'

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
  })
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
