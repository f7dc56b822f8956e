import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { parseYaml, recipesIn } from './recipes/document.ts'
import type { CircleConfig, GitLabConfig, Pod, Task, Workflow } from './recipes/formats.ts'
import { type PodSpec, patchPod, podWords } from './recipes/pod.ts'
import { RecipeRunner } from './recipes/recipe-runner.ts'
import type { Matrix } from './support/matrix.ts'

const PATIENCE = 300_000

/** Where GitLab's runner looks for a shell last; what stands for its script that looks for one. */
const SHELL = '/busybox/sh'

/** A test for each system that `docs/ci.md` has a recipe for. */
export function recipesSuite(matrix: () => Matrix): void {
  let runner: RecipeRunner
  let directory: TemporaryDirectory

  before(async function () {
    this.timeout(PATIENCE)
    directory = temporaryDirectory('recipes', 0o755)
    runner = new RecipeRunner(matrix(), directory)
    await runner.prepare()
  })
  after(() => directory?.[Symbol.dispose]())
  beforeEach(function () {
    this.timeout(PATIENCE)
  })

  it('GitLab CI', async () => {
    const [{ image: job }] = (await runner.documents('GitLab CI')) as [GitLabConfig]
    const [entrypoint = 'none'] = job.image.entrypoint
    const outcome = await runner.run([
      ...['--entrypoint', entrypoint, '--workdir', '/builds/app'],
      ...['--volume', `${runner.folders.source}:/builds/app`],
      ...environment({
        CI_REGISTRY: runner.adapt('registry.example.com'),
        CI_REGISTRY_IMAGE: runner.adapt('registry.example.com/gitlab'),
        CI_REGISTRY_USER: 'user',
        CI_REGISTRY_PASSWORD: 'password',
        CI_COMMIT_SHORT_SHA: '1234abcd',
      }),
      ...[job.image.name, SHELL, '-e', '-c', job.script.join('\n')],
    ])
    await runner.assertPushed([outcome], 'gitlab:1234abcd')
  })

  it('GitHub Actions', async () => {
    const [workflow] = (await runner.documents('GitHub Actions')) as [Workflow]
    const { run, env } = workflow.jobs.image.steps[1]
    const values: Readonly<Record<string, string>> = {
      'secrets.GITHUB_TOKEN': 'token',
      'github.actor': 'user',
      'github.repository': 'user/github',
      'github.sha': '1234abcd',
    }
    const evaluate = (text: string): string =>
      text.replace(/\$\{\{ (\S+) \}\}/g, (_, name: string) => values[name] ?? `no value: ${name}`)
    const variables = Object.entries(env).map(([name, text]) => [name, evaluate(text)])
    const outcome = await runner.script(evaluate(run), Object.fromEntries(variables))
    await runner.assertPushed([outcome], 'user/github:1234abcd')
  })

  it('Jenkins on Kubernetes', async () => {
    const [pipeline] = recipesIn('Jenkins on Kubernetes', 'groovy')
    const [, yaml = ''] = /yaml '''\n(.*?)'''/s.exec(pipeline) ?? []
    const pod = (await parseYaml(runner.adapt(yaml))) as Pod
    const scripts = [...pipeline.matchAll(/\bsh '([^']+)'/g)].map(([, text = '']) => text)
    assert.equal(scripts.length, 1)
    const workspace = '/home/jenkins/agent/workspace/app'
    const words = podWords(pod.spec, runner.folders)
    const outcomes = await runner.runIn(
      ['--workdir', workspace, '--volume', `${runner.folders.source}:${workspace}`, ...words],
      scripts.map((text) => ['sh', '-c', `export BUILD_NUMBER=7; ${runner.adapt(text)}`]),
    )
    await runner.assertPushed(outcomes, 'app:7')
  })

  it('Tekton', async () => {
    const [text] = recipesIn('Tekton')
    const values: Readonly<Record<string, string>> = {
      'params.image': runner.adapt('registry.example.com/tekton:1'),
      'workspaces.source.path': '/tsbuild/context',
      'workspaces.docker.path': '/workspace/docker',
      'results.image-id.path': '/tekton/results/image-id',
    }
    const filled = text.replace(/\$\(([^)]+)\)/g, (_, name: string) => values[name] ?? 'no value')
    const task = (await parseYaml(runner.adapt(filled))) as Task
    const [step] = task.spec.steps
    const results = directory.file('results')
    mkdirSync(results)
    const outcome = await runner.run([
      ...['--workdir', step.workingDir, '--volume', `${results}:/tekton/results`],
      ...['--volume', `${runner.folders.source}:/tsbuild/context`],
      ...['--volume', `${runner.folders.docker}:/workspace/docker`],
      ...podWords({ containers: [step] }, runner.folders),
    ])
    await runner.assertPushed([outcome], 'tekton:1')
    assert.match(readFileSync(`${results}/image-id`, 'utf8'), /^sha256:[0-9a-f]{64}$/)
  })

  it('CircleCI', async () => {
    const [config] = (await runner.documents('CircleCI')) as [CircleConfig]
    const { docker, shell, steps } = config.jobs.image
    const commands = steps.flatMap((step) => (typeof step === 'string' ? [] : [step.run]))
    const outcomes = await runner.runIn(
      [
        ...['--workdir', '/project', '--volume', `${runner.folders.source}:/project`],
        ...environment({
          REGISTRY_USER: 'user',
          REGISTRY_PASSWORD: 'password',
          CIRCLE_SHA1: '1234abcd',
        }),
        ...['--entrypoint', '/busybox/sleep', docker[0].image, 'infinity'],
      ],
      commands.map((command) => [...shell.split(' '), '-c', command]),
    )
    assert.equal(commands.length, 2)
    await runner.assertPushed(outcomes, 'app:1234abcd')
  })

  it('a pod, and its patches', async () => {
    const [pod, ...patches] = (await runner.documents('A pod')) as [Pod, ...PodSpec[]]
    // The daemon has no user namespaces; `npm run test:containers` has a row that is like this one.
    const possible = patches.filter(({ hostUsers }) => hostUsers !== false)
    assert.equal(possible.length, patches.length - 1)
    for (const patch of [pod.spec, ...possible]) {
      const outcome = await runner.run(podWords(patchPod(pod.spec, patch), runner.folders))
      await runner.assertPushed([outcome], 'app:1')
    }
  })

  it('OpenShift', async () => {
    const [pod] = (await runner.documents('A pod')) as [Pod]
    const [patch] = (await runner.documents('OpenShift')) as [PodSpec]
    const spec = patchPod(pod.spec, patch)
    const { sourceWithoutRun: source } = runner.folders
    const built = await runner.run(podWords(spec, { ...runner.folders, source }))
    await runner.assertPushed([built], 'app:1')
    const failed = await runner.run(podWords(spec, runner.folders))
    assert.match(failed.stderr, /^ERROR: .*SANDBOX_UNAVAILABLE/m)
  })
}

function environment(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--env', `${name}=${value}`])
}
