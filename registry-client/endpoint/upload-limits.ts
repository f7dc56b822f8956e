/** What a registry, or a proxy before it, turned out not to take: it is not tried again by this process. */
export interface UploadLimits {
  /** Bytes of the smallest body that was refused for its size. */
  refusedBody: number
  /** False: it refused a body without a length, or PATCH. */
  takesStreams: boolean
}
