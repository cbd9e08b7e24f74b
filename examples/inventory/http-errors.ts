import { type ErrorCode, VipsqlError } from 'vipsql';
import { ZodError } from 'zod';
import { ShopError, type ShopErrorCode } from './shop-error.ts';

/** An error as the client sees it. Nothing of the inside of the service is in it: that is for the log. */
export interface HttpError {
  readonly status: number;
  readonly body: {
    readonly error: string;
    readonly message: string;
    readonly issues?: readonly { readonly path: string; readonly message: string }[];
  };
  /** In seconds: the same request may succeed then. */
  readonly retryAfter?: number;
}

const shopStatus: Readonly<Record<ShopErrorCode, number>> = {
  not_found: 404,
  unknown_product: 422,
  out_of_stock: 409,
  id_taken: 409,
};

/** The same request may succeed soon: there is no primary at the moment, too much to do, or it was unlucky. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'VIPSQL_CLOSED',
  'VIPSQL_CONNECT',
  'VIPSQL_CONNECTION_LOST',
  'VIPSQL_DEADLOCK',
  'VIPSQL_LOCK_TIMEOUT',
  'VIPSQL_NO_REPLICA',
  'VIPSQL_PRIMARY_UNAVAILABLE',
  'VIPSQL_QUERY_KILLED',
  'VIPSQL_QUEUE_FULL',
  'VIPSQL_READ_ONLY_SERVER',
  'VIPSQL_TIMEOUT',
]);

const unavailable: HttpError = {
  status: 503,
  body: {
    error: 'unavailable',
    message:
      'The shop cannot do this at the moment. Repeat the request with the same id: it is done only once.',
  },
  retryAfter: 1,
};

/** The shop records every write under the client's id, so the repeat finds out what became of the first request. */
const inDoubt: HttpError = {
  status: 503,
  body: {
    error: 'in_doubt',
    message:
      'It is not known whether this was done. Repeat the request with the same id: it is done only once.',
  },
  retryAfter: 1,
};

const internal: HttpError = {
  status: 500,
  body: { error: 'internal', message: 'Something went wrong; it has been logged.' },
};

/** Chooses the answer to a request that failed. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof ZodError) return invalid(error);
  if (error instanceof ShopError) {
    return { status: shopStatus[error.code], body: { error: error.code, message: error.message } };
  }
  if (error instanceof VipsqlError) {
    if (error.code === 'VIPSQL_IN_DOUBT') return inDoubt;
    return passing.has(error.code) ? unavailable : internal;
  }
  // Knex wraps what vipsql tells it.
  if (error instanceof Error && error.cause instanceof VipsqlError) return toHttpError(error.cause);
  return refusedByFastify(error) ?? internal;
}

function invalid({ issues }: ZodError): HttpError {
  const list = issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  return {
    status: 400,
    body: { error: 'invalid_request', message: 'The request is not valid.', issues: list },
  };
}

/** A body that is no JSON, is too large or has another type. */
function refusedByFastify(error: unknown): HttpError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode: status, message } = error;
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  return { status, body: { error: 'invalid_request', message } };
}
