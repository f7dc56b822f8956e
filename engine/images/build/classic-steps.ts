/** What docker's classic builder prints of a build, step by step in the order of the Dockerfile. */
import { randomBytes } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import { type BuildEvent, digestOf, type PlannedVertex } from '#core'
import type { InstructionGraph } from '#parser'
import { layerMessage, type MessageSink, transferMessage } from '../progress.ts'
import type { Builds } from './builds.ts'
import {
  assignVertices,
  CONTAINED,
  countTriggers,
  nameOf,
  type Step,
  stepsOf,
} from './classic-step.ts'

/** What was heard of a vertex and not printed yet. */
interface Heard {
  readonly events: BuildEvent[]
  readonly decoders: { readonly stdout: StringDecoder; readonly stderr: StringDecoder }
  readonly container: string
  key: string | undefined
  isEnded: boolean
}

const UNUSED = /^\[Warning\] One or more build-args \[(.*)\] were not consumed$/

const DONE = new Set<BuildEvent['type']>(['done', 'cached', 'failed', 'cancelled'])

/** Output that waits for the steps before, in bytes. */
const MOST_WAITING = 16 * 1024 * 1024

/** What steps depend on besides what is heard of them. */
export interface ClassicOptions {
  /** Knows which steps were done before. */
  readonly builds: Builds
  /** Every step is done anew. */
  readonly noCache: boolean
  /** Those of the request. */
  readonly buildArgs: Readonly<Record<string, string>>
}

/** Listens to a build. Steps run side by side; what is said of later ones waits for the earlier ones. */
export class ClassicSteps {
  readonly #sink: MessageSink
  readonly #heard = new Map<string, Heard>()
  /** The id of what a stage has so far, by its name. */
  readonly #stages = new Map<string, string>()
  readonly #warnings: string[] = []
  /** Names of all ARG. */
  readonly #declared = new Set<string>()
  /** How many instructions stages have, by their names. */
  readonly #lengths = new Map<string, number>()
  readonly #options: ClassicOptions
  #steps: readonly Step[] = []
  #globals: readonly string[] = []
  #planned: readonly PlannedVertex[] | undefined
  #next = 0
  #isShown = false
  #id = ''
  #waiting = 0
  #failed: string | undefined

  constructor(sink: MessageSink, options: ClassicOptions) {
    this.#sink = sink
    this.#options = options
  }

  /**
   * The stages that are built. What is added later are triggers of base images, which are no steps.
   * @param labels of the request: one more step
   */
  linked({ stages, dockerfile }: InstructionGraph, labels: Readonly<Record<string, string>>): void {
    if (this.#steps.length > 0) {
      countTriggers(this.#steps, stages, this.#lengths)
      return
    }
    for (const { stage } of stages) this.#lengths.set(nameOf(stage), stage.instructions.length)
    this.#globals = dockerfile.globalArgs.map(({ text }) => text)
    this.#steps = stepsOf(stages, labels)
    const everywhere = dockerfile.stages.flatMap(({ instructions }) => instructions)
    for (const instruction of [...dockerfile.globalArgs, ...everywhere]) {
      if (instruction.kind === 'arg')
        for (const { key } of instruction.args) this.#declared.add(key)
    }
    for (const [position, text] of this.#globals.entries()) {
      this.#print(`Step ${position + 1}/${this.#total} : ${text}`)
      this.#print('\n')
    }
    const [first] = this.#steps
    if (first !== undefined) this.#showHead(first)
  }

  event(event: BuildEvent): void {
    if (event.type === 'planned') {
      this.#plan(event.vertices)
    } else if (event.type === 'warning') {
      // What checks say is not the classic builder's.
      if (event.rule === undefined) this.#warnings.push(event.message)
    } else if (event.type === 'progress') {
      this.#transfer(event)
    } else if ('vertex' in event && event.vertex !== undefined) {
      this.#hear(event.vertex, event)
    }
  }

  /** Prints what is left of a build that has made an image. */
  finish(imageId: string): void {
    while (this.#next < this.#steps.length) {
      const isLast = this.#next === this.#steps.length - 1
      this.#show(isLast ? imageId : undefined)
    }
  }

  /**
   * Prints warnings about the whole build, which come last.
   * @param unset build arguments without a value: those that no ARG declares are not used either
   */
  warn(unset: readonly string[]): void {
    const foreign = unset.filter((name) => !this.#declared.has(name))
    const found = this.#warnings.map((message) => UNUSED.exec(message)?.[1])
    const names = [...found.flatMap((list) => list?.split(' ') ?? []), ...foreign].sort()
    const others = this.#warnings.filter((message) => !UNUSED.test(message))
    const unused = `[Warning] One or more build-args [${names.join(' ')}] were not consumed`
    for (const message of [...others, ...(names.length > 0 ? [unused] : [])]) {
      this.#print(`${message}\n`)
    }
  }

  /** Prints what is left up to the step that has failed. */
  fail(): void {
    const failed = this.#steps.findIndex(
      ({ vertex }) => vertex !== undefined && vertex.id === this.#failed,
    )
    if (failed < 0) return
    while (this.#next < failed) this.#show(undefined)
    const step = this.#steps[this.#next]
    if (step === undefined) return
    this.#showHead(step)
    this.#replay(step)
  }

  #plan(vertices: readonly PlannedVertex[]): void {
    this.#planned = vertices
    assignVertices(this.#steps, vertices)
    this.#advance()
  }

  get #total(): number {
    return this.#globals.length + this.#steps.length
  }

  #hear(id: string, event: BuildEvent): void {
    const heard = this.#heardOf(id)
    if (event.type === 'failed') this.#failed = id
    if ((event.type === 'done' || event.type === 'cached') && event.key !== undefined)
      heard.key = event.key
    if (event.type === 'log') {
      this.#waiting += event.data.length
      if (this.#waiting > MOST_WAITING) return
    }
    heard.events.push(event)
    this.#advance()
  }

  /** Of a layer of a base image. */
  #transfer({ vertex, id, current, total, done }: Extract<BuildEvent, { type: 'progress' }>): void {
    if (!vertex.startsWith('pull ')) return
    const layer = shortId(id)
    this.#sink.send(
      done
        ? layerMessage('Pull complete', layer)
        : transferMessage('Downloading', layer, { current, total }),
    )
  }

  #heardOf(id: string): Heard {
    const known = this.#heard.get(id)
    if (known !== undefined) return known
    const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() }
    const container = newContainer()
    const heard: Heard = { events: [], decoders, container, key: undefined, isEnded: false }
    this.#heard.set(id, heard)
    return heard
  }

  /** Prints steps until one whose end is not known. The last one ends when the id of the image is known. */
  #advance(): void {
    if (this.#planned === undefined) return
    for (let step = this.#steps[this.#next]; step !== undefined; step = this.#steps[this.#next]) {
      this.#showHead(step)
      const isEnded = this.#replay(step)
      if (!isEnded || this.#next === this.#steps.length - 1) return
      this.#showId(step, undefined)
    }
  }

  #show(imageId: string | undefined): void {
    const step = this.#steps[this.#next]
    if (step === undefined) return
    this.#showHead(step)
    this.#replay(step)
    this.#showId(step, imageId)
  }

  #showHead({ text }: Step): void {
    if (this.#isShown) return
    this.#isShown = true
    this.#print(`Step ${this.#globals.length + this.#next + 1}/${this.#total} : ${text}`)
    this.#print('\n')
  }

  /** @returns whether the step has ended */
  #replay(step: Step): boolean {
    const { vertex, kind, triggers, triggerCount } = step
    if (kind === 'from') {
      step.triggerCount = 0
      const plural = triggerCount === 1 ? '' : 's'
      if (triggerCount > 0) this.#print(`# Executing ${triggerCount} build trigger${plural}\n`)
      return triggers.every((one) => this.#replayVertex(one, 'run'))
    }
    return vertex === undefined || this.#replayVertex(vertex, kind)
  }

  /** What changes the config only is done at once; the classic builder makes a container for it all the same. */
  #tellConfig({ kind, vertex }: Step, id: string): void {
    if (kind === 'from' || vertex !== undefined) return
    const { builds, noCache } = this.#options
    if (builds.meet(id) && !noCache) {
      this.#print(' ---> Using cache\n')
      return
    }
    const container = newContainer()
    this.#print(` ---> Running in ${container}\n`)
    this.#print(` ---> Removed intermediate container ${container}\n`)
  }

  #replayVertex(vertex: PlannedVertex, kind: string): boolean {
    const heard = this.#heardOf(vertex.id)
    for (const event of heard.events.splice(0)) {
      this.#tell(event, heard, kind)
      if (DONE.has(event.type)) heard.isEnded = true
    }
    return heard.isEnded
  }

  #tell(event: BuildEvent, { decoders, container }: Heard, kind: string): void {
    switch (event.type) {
      case 'started':
        if (CONTAINED.has(kind) && event.reason !== undefined) {
          this.#print(` ---> Running in ${container}\n`)
        }
        return
      case 'cached':
        this.#print(' ---> Using cache\n')
        return
      case 'log': {
        this.#waiting -= event.data.length
        const text = decoders[event.stream].write(Buffer.from(event.data))
        const stream = event.stream === 'stdout' ? text : `\u001b[91m${text}\u001b[0m`
        if (text !== '') this.#sink.output({ stream })
        return
      }
      case 'done':
        if (CONTAINED.has(kind)) this.#print(` ---> Removed intermediate container ${container}\n`)
        return
      default:
        return
    }
  }

  #showId(step: Step, imageId: string | undefined): void {
    this.#id = this.#idOf(step)
    this.#tellConfig(step, this.#id)
    this.#stages.set(step.stage, this.#id)
    this.#print(` ---> ${shortId(imageId ?? this.#id)}\n`)
    this.#next += 1
    this.#isShown = false
  }

  /** No image is kept of a step: it is known by the key of its result, or by what it is made of. */
  #idOf({ kind, base, vertex, text }: Step): string {
    if (kind === 'from') {
      if (base !== undefined) return this.#stages.get(base) ?? ''
      return /@sha256:([0-9a-f]{64})/.exec(vertex?.name ?? '')?.[1] ?? ''
    }
    const key = vertex === undefined ? undefined : this.#heardOf(vertex.id).key
    return key ?? digestOf([this.#id, text, ...this.#argumentsIn(text)].join(' '))
  }

  /** Values that the request gives variables of an instruction. */
  #argumentsIn(text: string): readonly string[] {
    const { buildArgs } = this.#options
    return [...text.matchAll(/\$\{?(\w+)/g)].flatMap(([, name = '']) => buildArgs[name] ?? [])
  }

  #print(stream: string): void {
    this.#sink.send({ stream })
  }
}

/** Clients print it; there is nothing that it could name once the step has ended. */
function newContainer(): string {
  return randomBytes(6).toString('hex')
}

/** The first twelve digits, of a key of the cache as well. */
function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
