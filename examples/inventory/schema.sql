-- The tables of the shop, for MariaDB 10.5 or MySQL 8.0.16 and newer. Run it on the primary; replication does the rest.
--
-- Every piece enters by a row of `restock` and leaves by a line of a live order, and `stock.qty` is changed only in the
-- transaction that writes one of them. So for each product, at any time:
--   stock.qty = sum(restock.qty) - sum(order_line.qty of orders that are not cancelled)

CREATE TABLE IF NOT EXISTS product (
  sku         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  name        VARCHAR(200) NOT NULL,
  category    VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_cents INT UNSIGNED NOT NULL,
  KEY by_category (category, sku)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS stock (
  sku VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  qty INT NOT NULL CHECK (qty >= 0),
  FOREIGN KEY (sku) REFERENCES product (sku)
) ENGINE = InnoDB;

-- The ids of orders and restocks come from the client: the primary key is what makes a repeated request harmless.
CREATE TABLE IF NOT EXISTS orders (
  id           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  customer     VARCHAR(64) NOT NULL,
  status       ENUM ('placed', 'cancelled') NOT NULL DEFAULT 'placed',
  created_at   DATETIME(3) NOT NULL,
  cancelled_at DATETIME(3) NULL
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS order_line (
  order_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sku         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  qty         INT UNSIGNED NOT NULL,
  price_cents INT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, sku),
  FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS restock (
  id         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  sku        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  qty        INT UNSIGNED NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY by_sku (sku)
) ENGINE = InnoDB;
