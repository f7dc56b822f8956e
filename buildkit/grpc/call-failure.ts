import type { Buffer } from 'node:buffer'
import { Metadata, type StatusObject } from '@grpc/grpc-js'

/** How a call fails, as the client gets it. Spec: gRPC, doc/statuscodes.md */
export class CallFailure extends Error implements Partial<StatusObject> {
  readonly code: number
  readonly details: string
  readonly metadata: Metadata

  /** @param status a `google.rpc.Status` with details, encoded */
  constructor(code: number, message: string, status?: Buffer) {
    super(message)
    this.code = code
    this.details = message
    this.metadata = new Metadata()
    if (status !== undefined) this.metadata.set('grpc-status-details-bin', status)
  }
}
