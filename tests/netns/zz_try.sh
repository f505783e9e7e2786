#!/bin/bash
. $(dirname "$0")/lib.sh
. $(dirname "$0")/lib_ftp.sh
ns_up
start_ftp ${SERVERS:-vsftpd} || exit 1
ftp_gateway scan.engine=${ENGINE:-none} ${CONF:-} || exit 1
ftp_samples
. /tmp/wt_body.sh
