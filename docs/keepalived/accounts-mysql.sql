CREATE USER vip_check@'192.168.3.%' IDENTIFIED BY 'change-me';
CREATE USER vip_notify@localhost IDENTIFIED BY 'change-me';
GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS ON *.* TO vip_notify@localhost;
GRANT SELECT ON performance_schema.replication_connection_status TO vip_notify@localhost;
GRANT SELECT ON performance_schema.replication_connection_configuration TO vip_notify@localhost;
