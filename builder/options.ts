import type { Writable } from 'node:stream'
import type { BuildEventListener, Bytes, Descriptor, Digest, StepResources, Ulimit } from '#core'
import type { CredentialStore } from '#registry-client'

/** Where a result goes. */
export type Output =
  /** The local store, under the build's tags. */
  | ({ readonly type: 'store' } & ImageTimesOption)
  | ({ readonly type: 'registry'; readonly compression?: LayerCompression } & ImageTimesOption)
  | ({
      readonly type: 'oci' | 'docker'
      /** A file, a directory with `tar: false`, or a stream, which is not closed. */
      readonly dest: string | Writable
      readonly tar?: boolean
      readonly compression?: LayerCompression
    } & ImageTimesOption)
  /** The files of the image: into a folder as the current user's, or as one tar. */
  | {
      readonly type: 'local' | 'tar'
      readonly dest: string | Writable
      /**
       * `delete`: of what the folder holds, only what the image has stays. A folder that does not lie
       * below the working directory needs the right `buildx.local.delete`. Default: `copy`.
       */
      readonly mode?: 'copy' | 'delete'
    }

/** What outputs of images have in common. */
export interface ImageTimesOption {
  /** No file of a new layer is newer than `SOURCE_DATE_EPOCH`. */
  readonly rewriteTimestamp?: boolean
}

export type LayerCompression = 'uncompressed' | 'gzip' | 'zstd'

/** A file, read once and only when a step wants it, or the secret itself. */
export type SecretSource = { readonly file: string } | { readonly value: string | Uint8Array }

/** Everything that `build` can be told. Only `context` is required. */
export interface BuildOptions {
  /**
   * A folder; a git repository (`https://HOST/PATH.git#REF:FOLDER`, `git@HOST:PATH`); the URL of an
   * archive or a Dockerfile; or the bytes of either.
   */
  readonly context: string | Bytes
  /**
   * Path of the Dockerfile: relative to the current directory where the context is a folder, to the
   * context's root where it is not; or its URL. Default: `Dockerfile` in the context.
   */
  readonly file?: string
  /**
   * What stands for images or stages of these names, in FROM and wherever files are taken from: a
   * folder, `docker-image://NAME` (`scratch` is nothing), `oci-layout://FOLDER[:TAG]`, a git repository, the URL of a file
   * (which is called `context`), or `target:STAGE`, an earlier stage.
   */
  readonly contexts?: Readonly<Record<string, string>>
  /** The Dockerfile itself, instead of a path. */
  readonly dockerfile?: string
  readonly tags?: readonly string[]
  /** Name of the stage to build; default: the last one. */
  readonly target?: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /**
   * `os/arch[/variant]`, one or several; default: this machine's. Several give an index with an
   * image for each, in this order; the build argument BUILDKIT_MULTI_PLATFORM=1 gives one of a single
   * image, too.
   */
  readonly platform?: string | readonly string[]
  /**
   * Do not look results up: those of all steps, or of the stages with these names and of what is built
   * on them. They are stored all the same.
   */
  readonly noCache?: boolean | readonly string[]
  /** Ask registries for base images even when the local store has the name. */
  readonly pull?: boolean
  readonly network?: 'default' | 'none' | 'host'
  /**
   * Rights: those that the Dockerfile may ask for with `RUN --network=host` and `--security=insecure`,
   * and that of an output to delete files anywhere.
   */
  readonly allow?: readonly ('network.host' | 'security.insecure' | 'buildx.local.delete')[]
  /** More lines of /etc/hosts in RUN steps: `[host, address]`, or `host-gateway` for this machine. */
  readonly extraHosts?: readonly (readonly [host: string, address: string])[]
  /** Bytes of /dev/shm in RUN steps; default: 64 MiB. */
  readonly shmSize?: number
  /** Limits of each process of RUN steps. */
  readonly ulimits?: readonly Ulimit[]
  /** What each RUN step may use. Needs control groups that this user may write to. */
  readonly resources?: StepResources
  /** Where control groups of RUN steps are made, from the root of the hierarchy. */
  readonly cgroupParent?: string
  /** What `RUN --mount=type=secret` may show, by id. */
  readonly secrets?: Readonly<Record<string, SecretSource>>
  /**
   * What `RUN --mount=type=ssh` may use, by id, `default` being the usual one: the path of an agent's
   * socket, or paths of private keys, which the build then uses itself.
   */
  readonly ssh?: Readonly<Record<string, readonly string[]>>
  /**
   * Makes the image depend on nothing but the input: no file that a step makes is newer than 1980 (or
   * `SOURCE_DATE_EPOCH`, if that is earlier), nor is the image; files of the context have the modes
   * that git keeps. See docs/reproducible.md
   */
  readonly reproducible?: boolean
  /** Default: the local store, when there is a tag or nothing else is asked for. */
  readonly outputs?: readonly Output[]
  /**
   * Push an image, too, whose steps changed files of other owners where there is one user id only: whose
   * they are now is presumed. Without it such a push is refused. See docs/owners.md
   */
  readonly ignoreChownErrors?: boolean
  /** How many steps run at a time; default: the number of CPUs. */
  readonly jobs?: number
  /** The local store's folder; default: `$TSBUILD_ROOT`, /var/lib/tsbuild, or `$XDG_DATA_HOME/tsbuild`. */
  readonly root?: string
  /** Registries that are spoken to over plain HTTP or without a valid certificate: `host[:port]`. */
  readonly insecureRegistries?: readonly string[]
  /** Default: docker's config.json and its helpers. */
  readonly credentials?: CredentialStore
  readonly onEvent?: BuildEventListener
  readonly signal?: AbortSignal
}

export interface BuildResult {
  /**
   * Of the manifest, or index, that was stored or pushed last; `undefined` for `local` and `tar`
   * outputs only.
   */
  readonly digest: Digest | undefined
  readonly descriptor: Descriptor | undefined
  /**
   * Digest of the image config, or of the index if there is one; `undefined` for `local` and
   * `tar` outputs only.
   */
  readonly imageId: Digest | undefined
  /** Canonical names that the image now has. */
  readonly tags: readonly string[]
  /** Of all platforms. */
  readonly layers: readonly BuiltLayer[]
  /** One for each platform, in the order that was asked for. */
  readonly images: readonly BuiltPlatform[]
  readonly steps: { readonly total: number; readonly cached: number }
  readonly milliseconds: number
}

export interface BuiltLayer {
  /** Uncompressed tar. */
  readonly diffId: string
  /** Bytes of the uncompressed tar, when known. */
  readonly size: number | undefined
  /** The step that made it; `undefined` for a layer of the base image. */
  readonly createdBy: string | undefined
}

export interface BuiltPlatform {
  readonly platform: string
  /** Digest of the image config. */
  readonly id: Digest
  readonly layers: readonly BuiltLayer[]
}
