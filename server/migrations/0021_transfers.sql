-- What was called forwarded is a transfer, of any ticket: one word for one thing.
UPDATE ticket SET state = replace(state::text, '"kind": "forwarded"', '"kind": "transferred"')::jsonb WHERE state::text LIKE '%"kind": "forwarded"%';
UPDATE ticket_event SET event = jsonb_set(event, '{kind}', '"transferred"') WHERE event->>'kind' = 'forwarded';
