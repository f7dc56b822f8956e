import assert from 'node:assert/strict'
import { foreignImage, foreignLayer, publish } from '../support/images.ts'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { type Built, Workplace } from '../support/workplace.ts'

function diffIdsOf({ layers }: Built): readonly string[] {
  return layers.map(({ diffId }) => diffId)
}

/** Runs a step on top of stacks of so many layers, each in the image with the layer that it makes. */
export function deepStacksSuite(totals: readonly number[]): void {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
  })
  after(() => at[Symbol.asyncDispose]())

  /** Layers that each add a file and, from the third on, delete that of two before. */
  async function publishBase(count: number): Promise<string> {
    const layers = Array.from({ length: count }, (_, index) =>
      foreignLayer({
        [`d/f${index}`]: `${index}\n`,
        ...(index < 2 ? {} : { [`d/.wh.f${index - 2}`]: '' }),
      }),
    )
    const name = `deep${count}`
    publish(at.registry, name, foreignImage(await Promise.all(layers)))
    return at.at(name)
  }

  for (const total of totals) {
    it(`runs on top of ${total} layers, all of which are in the image`, async () => {
      const base = await publishBase(total - 1)
      const built = await at.build([
        ...SHELL_BASE,
        `FROM ${base}`,
        `RUN --mount=from=base,source=/bin,target=/bin ["/bin/sh", "-c", "cd /d; cat *; rm *"]`,
      ])
      const last = total - 2
      assert.equal(
        outputOf(built),
        [last - 1, last]
          .sort()
          .map((n) => `${n}\n`)
          .join(''),
      )
      assert.equal(built.layers.length, total)
      const warnings = built.events.flatMap((event) =>
        event.type === 'warning' && event.message.includes('layers') ? [event.message] : [],
      )
      assert.equal(warnings.length, total > 127 ? 1 : 0, warnings.join())
      const again = await at.build([
        ...SHELL_BASE,
        `FROM ${base}`,
        `RUN --mount=from=base,source=/bin,target=/bin ["/bin/sh", "-c", "cd /d; cat *; rm *"]`,
        'COPY --from=0 /bin/busybox /d/f1',
        'RUN --mount=from=base,source=/bin,target=/bin ["/bin/sh", "-c", "ls /d"]',
      ])
      assert.equal(outputOf(again), 'f1\n')
      assert.deepEqual(diffIdsOf(again).slice(0, total), diffIdsOf(built))
    }).timeout(180_000)
  }
}
