// The Hugging Face hub, or a server that speaks like it: where it is, who we are, what went wrong.
import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'

export interface HubOptions {
  /** Default: HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string
  /** Default: HF_TOKEN. */
  token?: string
  signal?: AbortSignal
}

export interface Hub {
  name: string
  type: RepoType
  /** Where its page is: the name, of data sets after `datasets/`. */
  path: string
  endpoint: string
  token: string | undefined
  signal: AbortSignal | undefined
  /** As the global one, but every failure is a HeedError that says what to do. */
  fetch: typeof fetch
  /** Likewise, but answers that something is not there come through. */
  ask: typeof fetch
  /** What all calls of @huggingface/hub have in common. */
  call: {
    repo: { type: RepoType; name: string }
    hubUrl: string
    fetch: typeof fetch
    accessToken: string | undefined
  }
}

export type RepoType = 'model' | 'dataset'

/**
 * Checks name, token and endpoint; asks nobody yet.
 * @throws HeedError for a name that cannot be one, and when HF_HUB_OFFLINE is set
 */
export function hub(name: string, options: HubOptions = {}, type: RepoType = 'model'): Hub {
  const { env } = process
  if (!isHubName(name))
    throw new HeedError('corrupt-file', `${quote(name)} is not a name on the hub`, {
      remedy: 'It is written owner/model, or just model for a few old ones.',
    })
  if (/^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''))
    throw new HeedError('corrupt-file', `${name} cannot be reached: HF_HUB_OFFLINE is set`, {
      remedy: 'Unset it, or give a folder that is here.',
    })
  const endpoint = checkEndpoint(options.endpoint || env.HF_ENDPOINT || 'https://huggingface.co')
  const token = (options.token ?? env.HF_TOKEN)?.trim() || undefined
  if (token && !token.startsWith('hf_'))
    throw new HeedError('corrupt-file', 'HF_TOKEN is not a token of the hub: those begin with hf_')
  const { signal } = options
  const path = type === 'model' ? name : `${type}s/${name}`
  const place = { name, type, path, endpoint, token, signal }
  const careful = carefulFetch(place)
  const repo = { type, name }
  return {
    ...place,
    fetch: careful,
    ask: carefulFetch(place, [401, 404]),
    call: { repo, hubUrl: endpoint, fetch: careful, accessToken: token },
  }
}

/** `owner/model` or `model`. */
export const isHubName = (name: string): boolean =>
  /^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/.test(name) && !/\.\.|--/.test(name)

type Place = Pick<Hub, 'name' | 'path' | 'endpoint' | 'token' | 'signal'>

/** A failure that may be gone in a moment: the connection, or a busy server. */
export class PassingError extends HeedError {}

function carefulFetch(place: Place, expected: readonly number[] = []): typeof fetch {
  return async (input, init) => {
    let response: Response
    try {
      response = await fetch(input, { signal: place.signal, ...init })
    } catch (error) {
      throw unreachable(error, place)
    }
    if (response.ok || expected.includes(response.status)) return response
    await response.body?.cancel().catch(() => {})
    throw refusal(response, place)
  }
}

/** The error for a connection that was not made, or broke. */
export function unreachable(error: unknown, { endpoint, signal }: Place): unknown {
  if (signal?.aborted) return signal.reason
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  const known: Record<string, string> = {
    ENOTFOUND: 'its name is not known here',
    EAI_AGAIN: 'its name cannot be looked up',
    ECONNREFUSED: 'nobody listens there',
    ENETUNREACH: 'there is no way to it',
    ETIMEDOUT: 'it does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  }
  return new PassingError(
    'corrupt-file',
    `${endpoint} cannot be reached: ${known[code ?? ''] ?? message}`,
    {
      cause: error,
      remedy:
        'Check the network, and HF_ENDPOINT if it is set. Folders that are here need neither.',
    },
  )
}

function refusal({ status, headers }: Response, { name, path, endpoint, token }: Place): HeedError {
  const reason = headers.get('x-error-code')
  const page = `${endpoint}/${path}`
  const useToken = token ? 'The token in HF_TOKEN has no right to it.' : 'Set HF_TOKEN to a token.'
  if (reason === 'GatedRepo')
    return new HeedError(
      'corrupt-file',
      `${name} is gated: its owner wants its terms accepted first`,
      {
        remedy: `Accept them at ${page}. ${token ? 'Then use a token of that account as HF_TOKEN.' : useToken}`,
      },
    )
  if (reason === 'RevisionNotFound')
    return new HeedError('missing-file', `${name} has no such revision`, {
      remedy: `See ${page}/tree/main.`,
    })
  if (reason === 'EntryNotFound')
    return new HeedError('missing-file', `${name} lacks a file that it lists`)
  if (status === 401 || (status === 404 && !token))
    return new HeedError('missing-file', `${page} does not exist, or is private`, {
      remedy: `Check the name. For a private one: ${useToken}`,
    })
  if (status === 403)
    return new HeedError('missing-file', `${page}: access denied`, { remedy: useToken })
  if (status === 404)
    return new HeedError('missing-file', `${page} does not exist`, { remedy: 'Check the name.' })
  if (status === 429 || status >= 500)
    return new PassingError('corrupt-file', `${endpoint} is busy: it answered ${status}`, {
      remedy: 'Try again in a while.',
    })
  return new HeedError('corrupt-file', `${page}: the hub answered ${status}`)
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && !url.username) return text.replace(/\/+$/, '')
  throw new HeedError('corrupt-file', `HF_ENDPOINT ${quote(text)} is not the address of a hub`, {
    remedy: 'It looks like https://huggingface.co.',
  })
}
