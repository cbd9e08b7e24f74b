/** Codes of Node and mysql2 that say: the line to the server is gone. */
const lineCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** mysql2 gives this error neither code nor number. */
const closedStateText = /in closed state/;

/** The connection ended: the system, the driver or the server closed it. */
export function isLineFailure(code: string | undefined, message: string): boolean {
  if (code === undefined) return closedStateText.test(message);
  return lineCodes.has(code) || code.startsWith('PROTOCOL_');
}

const tlsCodes =
  /^(?:EPROTO$|ERR_TLS_|ERR_SSL_|HANDSHAKE_SSL_|HANDSHAKE_NO_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** The certificate or the encryption is at fault. */
export function isTlsFailure(code: string | undefined): boolean {
  return code !== undefined && tlsCodes.test(code);
}

const loginCodes: ReadonlySet<string> = new Set([
  'AUTH_SWITCH_PLUGIN_ERROR',
  'MYSQL_CLEAR_PASSWORD_NOT_ENABLED',
]);

/** The driver could not do what the server asked of it to log in. */
export function isLoginFailure(code: string | undefined): boolean {
  return code !== undefined && loginCodes.has(code);
}
