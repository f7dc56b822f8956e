import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import {
  createUser,
  ensurePackages,
  type Outcome,
  startBuildah,
  type TemporaryDirectory,
  temporaryDirectory,
  type User,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { type Installed, installedFor } from '../support/installed.ts'
import { type Start, tsbuild } from '../support/tsbuild.ts'

/** What a mount can reach of the host where a builder is not careful. */
interface Recipe {
  readonly title: string
  /** Instructions behind a base with busybox; `outside` is a folder of the host. */
  readonly steps: (outside: string) => readonly string[]
  /** The mark that the step leaves outside; absent: to be built at all is the fault. */
  readonly mark?: string
  /** Why tsbuild refuses it; absent: it builds what is meant without harm. */
  readonly refusal?: RegExp
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
    refusal: /"\/out": not found/,
  },
  {
    title: 'T-B4: an option of mount(2) in a propagation',
    steps: () => [
      'FROM base',
      'RUN --mount=type=bind,from=base,source=/bin,target=/m,bind-propagation=suid ["/bin/busybox", "true"]',
    ],
    refusal: /unexpected key 'bind-propagation'/,
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
  let user: User
  let installed: Installed

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
    place = stack.use(temporaryDirectory('hostile-mounts', 0o777))
    outside = place.file('outside')
    writeContext(place.file('context'), { busybox: readFileSync('/bin/busybox') })
    const started = stack.use(await startBuildah())
    buildah = (dockerfile) => started.build(['-f', dockerfile, place.file('context')])
  })
  after(() => stack.disposeAsync())
  beforeEach(() => {
    mkdirSync(outside)
    chmodSync(outside, 0o777)
  })
  afterEach(() => rmSync(outside, { recursive: true }))

  function dockerfileOf(recipe: Recipe): string {
    const base = ['FROM scratch AS base', 'COPY --chmod=755 busybox /bin/busybox']
    const path = place.file('Dockerfile')
    writeFileSync(path, [...base, ...recipe.steps(outside), ''].join('\n'))
    return path
  }

  function startFor(builder: 'root' | 'an ordinary user'): Start {
    if (builder === 'root') return { root: place.file('store') }
    return { root: place.file('own-store'), prefix: user.prefix, installed, cwd: '/' }
  }

  /** Whether what a recipe attempts has happened. */
  function succeeded({ mark }: Recipe, built: boolean): boolean {
    return mark === undefined ? built : existsSync(`${outside}/${mark}`)
  }

  for (const recipe of RECIPES) {
    for (const builder of ['root', 'an ordinary user'] as const) {
      it(`${recipe.title}: reaches nothing for ${builder}`, async () => {
        const flags = ['--network=none', '-f', dockerfileOf(recipe), place.file('context')]
        const { status, stderr } = await tsbuild(['build', ...flags], startFor(builder))
        assert.equal(succeeded(recipe, status === 0), false)
        assert.equal(status === 0, recipe.refusal === undefined, stderr)
        assert.match(stderr, recipe.refusal ?? /DONE/)
        assert.deepEqual(readdirSync(outside), [])
      })
    }

    it(`${recipe.title}: reaches the host with a builder that has the fault`, async () => {
      const built = await buildah(dockerfileOf(recipe)).then(
        () => true,
        () => false,
      )
      assert.equal(succeeded(recipe, built), true)
    })
  }
})
