// One message by nodemailer, with XOAUTH2: HOST PORT USER TOKEN_FILE SENDER RECIPIENT <message.
const fs = require('fs');
const nodemailer = require('nodemailer');

const [host, port, user, tokenFile, sender, recipient] = process.argv.slice(2);
const transport = nodemailer.createTransport({
  host,
  port: Number(port),
  requireTLS: true,
  auth: {type: 'OAuth2', user, accessToken: fs.readFileSync(tokenFile, 'ascii').trim()},
});
transport.sendMail(
    {envelope: {from: sender, to: [recipient]}, raw: process.stdin}, (error) => {
      if (error) {
        console.error(error.message);
        process.exitCode = 1;
      }
      transport.close();
    });
