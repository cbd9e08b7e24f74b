import { z } from 'zod';

/** What the service accepts. Unknown keys are refused: a misspelled one would be ignored silently. */
const sku = z.string().regex(/^[A-Z0-9-]{1,32}$/, 'must be 1 to 32 capital letters, digits or hyphens');
const id = z.string().regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, hyphens or underscores');
const category = z.string().regex(/^[a-z-]{1,40}$/, 'must be 1 to 40 small letters or hyphens');
const qty = z.int().min(1).max(10_000);

export const productsQuery = z.strictObject({
  category: category.optional(),
  after: sku.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export const productPath = z.strictObject({ sku });

export const orderPath = z.strictObject({ orderId: id });

export const orderBody = z.strictObject({
  customer: z.string().trim().min(1).max(64),
  lines: z
    .array(z.strictObject({ sku, qty }))
    .min(1)
    .max(20)
    .refine((lines) => new Set(lines.map((line) => line.sku)).size === lines.length, 'names a product twice'),
});

export const restockBody = z.strictObject({ id, qty });
