/* `tlsfloor remediate`. */
#ifndef REMEDIATE_H
#define REMEDIATE_H

#define REMEDIATE_ARGUMENTS                                                                                  \
    "(--client FAMILY [--reg FILE] [--powershell FILE] [--only-1.2] [--force] | --list) [--format "          \
    "text|json]"
int remediate_main(int argc, char **argv);

#endif
