"""What a new demo database holds: a few tables with rows, so that a query shows something."""

from __future__ import annotations

SAMPLE = """
CREATE TABLE customers (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  city text NOT NULL
);
INSERT INTO customers (name, city)
  SELECT (ARRAY['Mina', '지훈', 'Amara', 'Lars', 'Inès', 'Yuki', 'Tomás', '서연'])[1 + i % 8] || ' ' || i,
         (ARRAY['Seoul', 'Busan', 'Lagos', 'Oslo', 'Paris', 'Osaka'])[1 + i % 6]
  FROM generate_series(1, 40) AS i;

CREATE TABLE orders (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers,
  placed timestamptz NOT NULL,
  total numeric(10, 2) NOT NULL,
  status text NOT NULL
);
INSERT INTO orders (customer_id, placed, total, status)
  SELECT 1 + i % 40,
         timestamptz '2026-01-01 09:00+00' + i * interval '97 minutes',
         round((7 + (i * 37 % 911) * 1.09)::numeric, 2),
         (ARRAY['paid', 'shipped', 'delivered', 'returned'])[1 + i % 4]
  FROM generate_series(1, 240) AS i;
"""
