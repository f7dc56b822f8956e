import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import {
  CLEAN_ENVIRONMENT,
  capture,
  type Outcome,
  type TemporaryDirectory,
} from '../../../support/peers/index.ts'
import { must } from '../engines/engine.ts'
import { digestOf } from '../support/host-builds.ts'
import type { Matrix } from '../support/matrix.ts'
import { parseYaml, recipesIn } from './document.ts'

/** Registries that the recipes name; the test's own stands for them. */
const REGISTRIES = /\b(?:registry\.example\.com|ghcr\.io)\b/g

/** Runs what recipes say, on the engine of a matrix. */
export class RecipeRunner {
  readonly #matrix: Matrix
  readonly #directory: TemporaryDirectory
  /** Folders of jobs: sources with and without RUN, and the one of docker's `config.json`. */
  readonly folders: Readonly<Record<'source' | 'sourceWithoutRun' | 'docker', string>>

  /** @param directory for the folders, which every user may enter */
  constructor(matrix: Matrix, directory: TemporaryDirectory) {
    this.#matrix = matrix
    this.#directory = directory
    const small = `FROM ${matrix.registry.host}/small\nCOPY Dockerfile /\n`
    this.folders = {
      source: this.#folder('source', 'Dockerfile', `${small}RUN cat /Dockerfile > /made\n`),
      sourceWithoutRun: this.#folder('without-run', 'Dockerfile', small),
      docker: this.#folder('docker', 'config.json', '{}'),
    }
  }

  /** Gives the image the name that recipes know it by. */
  async prepare(): Promise<void> {
    const { engine, imageOf } = this.#matrix.site
    await must(engine, [
      'tag',
      await imageOf('tsbuild'),
      this.adapt('registry.example.com/tsbuild:1'),
    ])
  }

  /** A text of the document with the registry of the test. */
  adapt(text: string): string {
    return text.replaceAll(REGISTRIES, this.#matrix.registry.host)
  }

  /** The recipes of a section, parsed. */
  async documents(section: string): Promise<readonly unknown[]> {
    return await Promise.all(recipesIn(section).map((text) => parseYaml(this.adapt(text))))
  }

  /** Runs a container to its end. */
  async run(words: readonly string[]): Promise<Outcome> {
    const { engine, network } = this.#matrix.site
    return await engine.call(['run', '--rm', '--network', network, ...words])
  }

  /** Runs commands one after the other in a container that waits meanwhile. */
  async runIn(
    words: readonly string[],
    commands: readonly (readonly string[])[],
  ): Promise<readonly Outcome[]> {
    const { engine, network } = this.#matrix.site
    const container = await must(engine, ['run', '--detach', '--network', network, ...words])
    const outcomes: Outcome[] = []
    try {
      for (const command of commands) {
        outcomes.push(await engine.call(['exec', container, ...command]))
      }
      return outcomes
    } finally {
      await must(engine, ['rm', '--force', container])
    }
  }

  /** Runs a script on this machine, whose `docker` gives containers the network of the test. */
  async script(text: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
    const { engine, network } = this.#matrix.site
    const bin = this.#folder(
      'bin',
      'docker',
      [
        '#!/bin/sh',
        '[ "$1" = run ] || exec /usr/bin/docker "$@"',
        `shift; exec /usr/bin/docker run --network ${network} "$@"`,
      ].join('\n'),
    )
    chmodSync(`${bin}/docker`, 0o755)
    const home = this.#directory.file('home')
    mkdirSync(home)
    return await capture('sh', ['-e', '-c', text], {
      cwd: this.folders.source,
      env: { ...engine.env, ...env, HOME: home, PATH: `${bin}:${CLEAN_ENVIRONMENT.PATH}` },
    })
  }

  /** A job ended well, and its image is in the registry. @param image without the registry */
  async assertPushed(outcomes: readonly Outcome[], image: string): Promise<void> {
    for (const { status, stdout, stderr } of outcomes) assert.equal(status, 0, stdout + stderr)
    assert.match(await digestOf(this.#matrix.registry, image), /^sha256:/)
  }

  #folder(name: string, file: string, text: string): string {
    const path = this.#directory.file(name)
    mkdirSync(path)
    chmodSync(path, 0o755)
    writeFileSync(`${path}/${file}`, text, { mode: 0o644 })
    return path
  }
}
