/* `tlsfloor hash-password`. */
#ifndef HASH_PASSWORD_H
#define HASH_PASSWORD_H

#define HASH_PASSWORD_ARGUMENTS "[--user NAME]"
int hash_password_main(int argc, char **argv);

#endif
