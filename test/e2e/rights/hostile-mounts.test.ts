import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  ensurePackages,
  type Outcome,
  startBuildah,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { tsbuild } from '../support/tsbuild.ts'

/** What a mount can reach of the host where a builder is not careful. */
interface Recipe {
  readonly title: string
  /** Instructions behind a base with busybox; `outside` is a folder of the host. */
  readonly steps: (outside: string) => readonly string[]
  /** The mark that the step leaves outside; absent: to be built at all is the fault. */
  readonly mark?: string
}

const UP = '../'.repeat(12)

const RECIPES: readonly Recipe[] = [
  {
    title: 'T-B3: a source that is a link out of its stage',
    steps: (outside) => [
      'FROM base AS linked',
      `RUN ["/bin/busybox", "ln", "-s", "${outside}", "/out"]`,
      'FROM base',
      'RUN --mount=type=bind,from=linked,source=/out,target=/m,rw ["/bin/busybox", "touch", "/m/bind"]',
    ],
    mark: 'bind',
  },
  {
    title: 'T-B4: an option of mount(2) in a propagation',
    steps: () => [
      'FROM base',
      'RUN --mount=type=bind,from=base,source=/bin,target=/m,bind-propagation=suid ["/bin/busybox", "true"]',
    ],
  },
  {
    title: 'T-B5: the name of a cache that is a path upwards',
    steps: (outside) => [
      'FROM base',
      `RUN --mount=type=cache,id=${UP}${outside},target=/m ["/bin/busybox", "touch", "/m/cache"]`,
    ],
    mark: 'cache',
  },
]

describe('mounts that lead out of a build', function () {
  this.timeout(120_000)
  const stack = new AsyncDisposableStack()
  let place: TemporaryDirectory
  let outside: string
  let buildah: (dockerfile: string) => Promise<Outcome>

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    place = stack.use(temporaryDirectory('hostile-mounts'))
    outside = place.file('outside')
    writeContext(place.file('context'), { busybox: readFileSync('/bin/busybox') })
    const started = stack.use(await startBuildah())
    buildah = (dockerfile) => started.build(['-f', dockerfile, place.file('context')])
  })
  after(() => stack.disposeAsync())
  beforeEach(() => mkdirSync(outside))
  afterEach(() => rmSync(outside, { recursive: true }))

  function dockerfileOf(recipe: Recipe): string {
    const base = ['FROM scratch AS base', 'COPY --chmod=755 busybox /bin/busybox']
    const path = place.file('Dockerfile')
    writeFileSync(path, [...base, ...recipe.steps(outside), ''].join('\n'))
    return path
  }

  /** Whether what a recipe attempts has happened. */
  function succeeded({ mark }: Recipe, built: boolean): boolean {
    return mark === undefined ? built : existsSync(`${outside}/${mark}`)
  }

  for (const recipe of RECIPES) {
    it(`${recipe.title}: reaches nothing`, async () => {
      const dockerfile = dockerfileOf(recipe)
      const flags = ['--network=none', '-f', dockerfile, place.file('context')]
      const { status } = await tsbuild(['build', ...flags], { root: place.file('store') })
      assert.equal(succeeded(recipe, status === 0), false)
      assert.deepEqual(readdirSync(outside), [])
    })

    it(`${recipe.title}: reaches the host with a builder that has the fault`, async () => {
      const built = await buildah(dockerfileOf(recipe)).then(
        () => true,
        () => false,
      )
      assert.equal(succeeded(recipe, built), true)
    })
  }
})
