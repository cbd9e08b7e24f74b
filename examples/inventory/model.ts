/** A product as the catalogue shows it. */
export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly priceCents: number;
}

export interface Stock {
  readonly sku: string;
  readonly qty: number;
}

/** What a customer wants of one product. */
export interface LineRequest {
  readonly sku: string;
  readonly qty: number;
}

/** An order as the client asks for it; its id makes a repeated request the same order. */
export interface OrderRequest {
  readonly id: string;
  readonly customer: string;
  /** Each product at most once. */
  readonly lines: readonly LineRequest[];
}

export interface OrderLine extends LineRequest {
  /** The price at the time of the order. */
  readonly priceCents: number;
}

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly status: 'placed' | 'cancelled';
  readonly createdAt: Date;
  /** Sorted by sku. */
  readonly lines: readonly OrderLine[];
}

/** One row per line of an order. */
export type OrderRow = Omit<Order, 'lines'> & OrderLine;

/** A delivery of more pieces; its id makes a repeated request the same delivery. */
export interface Restock extends Stock {
  readonly id: string;
}

/** What was asked for, and whether it had been done by an earlier request with the same id. */
export interface Recorded<T> {
  readonly entry: T;
  readonly repeated: boolean;
}

export interface ProductFilter {
  readonly category?: string | undefined;
  /** Only products behind this sku: the last one of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * What the service asks of its database. Every write may be repeated with the same id and takes effect once, so a client
 * that got no answer, or was told that the outcome is in doubt, repeats its request. Rejects with `ShopError` for what
 * the shop refuses.
 */
export interface ShopRepository {
  /** One page of the catalogue, by sku. */
  products(filter: ProductFilter): Promise<Product[]>;
  product(sku: string): Promise<Product>;
  /** The pieces left, as of now. */
  stock(sku: string): Promise<Stock>;
  order(id: string): Promise<Order>;
  /** Sells all lines of an order or none. The same request again gives the same order and sells nothing. */
  placeOrder(request: OrderRequest): Promise<Recorded<Order>>;
  /** Gives the pieces back, once, however often it is called. */
  cancelOrder(id: string): Promise<Order>;
  /** Adds a delivery to the stock. The same request again adds nothing. */
  restock(request: Restock): Promise<Recorded<Restock>>;
}
