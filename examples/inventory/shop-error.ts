export type ShopErrorCode = 'not_found' | 'unknown_product' | 'out_of_stock' | 'id_taken';

/** A request that the shop understood and cannot fulfil. Repeating it unchanged does not help. */
export class ShopError extends Error {
  readonly code: ShopErrorCode;

  constructor(code: ShopErrorCode, message: string) {
    super(message);
    this.name = 'ShopError';
    this.code = code;
  }
}
