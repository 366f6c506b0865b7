-- What organisations ask of the monitoring centre: tickets with numbers of their own.
CREATE SEQUENCE ticket_request_number;
GRANT USAGE ON SEQUENCE ticket_request_number TO kawal_app;
