/** Stores of blobs on a client's side, as containerd's code serves them. */
import { createHash } from 'node:crypto'
import {
  ABORT_REQUEST,
  CONTENT_INFO_REQUEST,
  CONTENT_INFO_RESPONSE,
  READ_CONTENT_REQUEST,
  READ_CONTENT_RESPONSE,
  WRITE_ACTIONS,
  WRITE_CONTENT_REQUEST,
  WRITE_CONTENT_RESPONSE,
  type WriteContentRequest,
} from '#buildkit/messages'
import { failure, type PeerCall, type PeerMethods, unary } from './grpc-peer.ts'

const SERVICE = '/containerd.services.content.v1.Content'

export type Lie = 'offset' | 'digest' | 'early' | 'endless'

/** One blob that is being written. */
interface Begun {
  bytes: Buffer
  expected: string
  total: number
}

export class ContentPeer {
  readonly blobs: Map<string, Buffer> = new Map()
  readonly begun: Map<string, Begun> = new Map()
  /** Sizes of what came in one message. */
  readonly pieces: number[] = []
  forgotten = 0
  readonly #store: string
  readonly #lie: Lie | undefined

  constructor(store: string, lie?: Lie) {
    this.#store = store
    this.#lie = lie
  }

  get methods(): PeerMethods {
    return {
      [`${SERVICE}/Info`]: unary((request, call) => {
        const { digest } = CONTENT_INFO_REQUEST.decode(request)
        const { length: size } = this.#blob(digest, call)
        return CONTENT_INFO_RESPONSE.encode({ info: { digest, size } })
      }),
      [`${SERVICE}/Abort`]: unary((request) => {
        this.begun.delete(ABORT_REQUEST.decode(request).ref)
        this.forgotten++
        return Buffer.alloc(0)
      }),
      [`${SERVICE}/Read`]: (call) => this.#read(call),
      [`${SERVICE}/Write`]: (call) => this.#write(call),
    }
  }

  #blob(digest: string, call: PeerCall): Buffer {
    const [store] = call.metadata.get('buildkit-attachable-store-id')
    if (store !== this.#store) throw failure(5, `unknown store ${store}: not found`)
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) throw failure(5, `content ${digest}: not found`)
    return bytes
  }

  #read(call: PeerCall): void {
    call.on('error', () => undefined)
    call.once('data', (request: Buffer) => {
      try {
        const bytes = this.#blob(READ_CONTENT_REQUEST.decode(request).digest, call)
        for (let offset = 0; offset < bytes.length; offset += 100_000) {
          const data = bytes.subarray(offset, offset + 100_000)
          call.write(READ_CONTENT_RESPONSE.encode({ offset, data }))
        }
        call.end()
      } catch (cause) {
        call.emit('error', cause)
      }
    })
  }

  #write(call: PeerCall): void {
    call.on('error', () => undefined)
    let ref = ''
    call.on('data', (message: Buffer) => {
      try {
        const request = WRITE_CONTENT_REQUEST.decode(message)
        ref ||= request.ref
        this.#take(call, ref, request)
      } catch (cause) {
        call.emit('error', cause)
      }
    })
    call.on('end', () => call.end())
  }

  #take(call: PeerCall, ref: string, request: WriteContentRequest): void {
    const [store] = call.metadata.get('buildkit-attachable-store-id')
    if (store !== this.#store) throw failure(5, `unknown store ${store}: not found`)
    const begun = this.begun.get(ref) ?? { bytes: Buffer.alloc(0), expected: '', total: 0 }
    this.begun.set(ref, begun)
    if (request.expected !== '') begun.expected = request.expected
    if (request.total > 0) begun.total = request.total
    if (this.blobs.has(begun.expected)) {
      this.begun.delete(ref)
      throw failure(6, `blob with expected digest ${begun.expected} exists`)
    }
    if (request.action !== WRITE_ACTIONS.stat) this.#append(begun, request)
    const hash = `sha256:${createHash('sha256').update(begun.bytes).digest('hex')}`
    const isCommit = request.action === WRITE_ACTIONS.commit
    if (isCommit) {
      if (hash !== begun.expected || begun.total !== begun.bytes.length) {
        throw failure(9, `unexpected commit digest ${hash}`)
      }
      this.blobs.set(hash, begun.bytes)
      this.begun.delete(ref)
    }
    if (isCommit && this.#lie === 'early') return void call.end()
    const answer = WRITE_CONTENT_RESPONSE.encode({
      action: request.action,
      offset: begun.bytes.length + (this.#lie === 'offset' ? 1 : 0),
      digest: this.#lie === 'digest' ? 'sha256:0' : hash,
    })
    call.write(answer)
    if (isCommit && this.#lie === 'endless') for (let more = 0; more < 9; more++) call.write(answer)
    if (isCommit) call.end()
  }

  #append(begun: Begun, { offset, data }: WriteContentRequest): void {
    if (offset > 0 && offset !== begun.bytes.length) {
      throw failure(11, `write @${offset} must occur at current offset ${begun.bytes.length}`)
    }
    if (offset === 0) begun.bytes = Buffer.alloc(0)
    begun.bytes = Buffer.concat([begun.bytes, data])
    if (data.length > 0) this.pieces.push(data.length)
  }
}
